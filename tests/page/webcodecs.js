// A client of /ws over Opus with nothing but WebCodecs, as docs/protocol.md has it. Each function is called with one
// object, and answers with what Playwright can carry.

const PACKET = 320;
const RATE = 16_000;
const PRE_SKIP = 312;

function bytesOf(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

function textOf(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** PCM (s16, 16 kHz, whole packets) into packets. */
async function encode(pcm) {
  const packets = [];
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const packet = new Uint8Array(chunk.byteLength);
      chunk.copyTo(packet);
      packets.push(packet);
    },
    error: (error) => packets.push(error),
  });
  const opus = { frameDuration: 20_000, application: "voip" };
  encoder.configure({ codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: 28_000, opus });
  for (let at = 0; at + PACKET <= pcm.length; at += PACKET) {
    const data = Float32Array.from(pcm.subarray(at, at + PACKET), (one) => one / 32768);
    const timestamp = (at / RATE) * 1e6;
    encoder.encode(
      new AudioData({ format: "f32", sampleRate: RATE, numberOfFrames: PACKET, numberOfChannels: 1, timestamp, data }),
    );
  }
  await encoder.flush();
  encoder.close();
  return packets;
}

/** Packets of one stream into samples of 48 kHz, from the first that counts. */
async function decode(packets) {
  const pieces = [];
  const decoder = new AudioDecoder({
    output: (data) => {
      const piece = new Float32Array(data.numberOfFrames);
      data.copyTo(piece, { planeIndex: 0, format: "f32-planar" });
      pieces.push(piece);
    },
    error: (error) => pieces.push(error),
  });
  decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 1 });
  packets.forEach((data, at) => decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: at * 20_000, data })));
  await decoder.flush();
  decoder.close();
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all.slice(PRE_SKIP);
}

window.coding = {
  async encoded(text) {
    const packets = await encode(new Int16Array(bytesOf(text).buffer));
    return packets.map(textOf);
  },

  async decoded(texts) {
    const samples = await decode(texts.map(bytesOf));
    return textOf(new Uint8Array(Int16Array.from(samples, (one) => Math.round(one * 32767)).buffer));
  },

  /** Asks the server what `text` says, PCM in base64, and tells its words and how long each phrase of the reply is. */
  async ask({ url, text }) {
    const packets = await encode(new Int16Array(bytesOf(text).buffer));
    const told = { final: "", outcome: "", phrases: [] };
    const socket = new WebSocket(url, "voice-trio");
    socket.binaryType = "arraybuffer";
    const heard = new Promise((resolve) => {
      let phrase = null;
      socket.onmessage = ({ data }) => {
        if (typeof data !== "string") {
          const view = new DataView(data);
          for (let at = 20, left = view.getUint8(19); left; left -= 1) {
            const length = view.getUint16(at, true);
            phrase.packets.push(new Uint8Array(data, at + 2, length));
            at += 2 + length;
          }
          phrase.brought += view.getUint16(16, true);
          phrase.kinds.add(view.getUint8(1));
          return;
        }
        const event = JSON.parse(data);
        if (event.type === "session") {
          socket.send(JSON.stringify({ type: "start", mode: "hold", codec: "opus" }));
          for (const packet of packets) socket.send(packet);
          socket.send(JSON.stringify({ type: "stop" }));
        }
        if (event.type === "final") told.final = event.text;
        if (event.type === "tts_phrase") phrase = { packets: [], brought: 0, kinds: new Set(), rate: event.sample_rate };
        if (event.type === "tts_phrase_done") {
          phrase.packets.push(...(event.rest ?? []).map(bytesOf));
          told.phrases.push({ ...phrase, samples: event.samples });
        }
        if (event.type === "done") {
          told.outcome = event.outcome;
          resolve();
        }
      };
    });
    await heard;
    socket.close(1000);
    for (const phrase of told.phrases) {
      const samples = await decode(phrase.packets);
      phrase.decoded = samples.length;
      phrase.loudest = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      phrase.kinds = [...phrase.kinds];
      delete phrase.packets;
    }
    return told;
  },
};
