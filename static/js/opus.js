/**
 * Sound as Opus, by the browser's own WebCodecs: a tenth of what it takes otherwise. docs/protocol.md says how packets
 * travel.
 */

import { fromBase64, toInt16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

const RATE = 16_000;
const PACKET_MS = 20;

/** What packets decode to. */
const DECODED_RATE = 48_000;

/** So many samples of that come before the first that counts. */
const PRE_SKIP = 312;

/** Silence behind which nothing that was said is left in the encoder. */
const SILENCE_MS = 40;

const opus = { frameDuration: PACKET_MS * 1000, application: "voip" };
const ENCODING = { codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: 28_000, opus };
const SAMPLES = /** @type {const} */ ({ format: "s16", sampleRate: RATE, numberOfChannels: 1 });
const DECODING = { codec: "opus", sampleRate: DECODED_RATE, numberOfChannels: 1 };

/** @typedef {{first: number, pcm: Int16Array}} Piece */

/** Whether the browser can encode and decode it. */
export async function hasOpus() {
  try {
    const both = [AudioEncoder.isConfigSupported(ENCODING), AudioDecoder.isConfigSupported(DECODING)];
    return (await Promise.all(both)).every(({ supported }) => supported);
  } catch {
    // It has no such classes, or gives them to secure pages alone.
    return false;
  }
}

/** The person's voice on its way to the server: PCM in, packets out, a little later. */
export class VoiceEncoder {
  /** @type {AudioEncoder | null} */
  encoder = null;
  pushed = 0;
  /** @type {(packet: ArrayBuffer) => void} */
  onpacket = () => {};
  /** The browser cannot go on. */
  onfail = () => {};

  /** Begins a stream. */
  begin() {
    this.close();
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const packet = new ArrayBuffer(chunk.byteLength);
        chunk.copyTo(packet);
        if (encoder === this.encoder) this.onpacket(packet);
      },
      error: () => this.onfail(),
    });
    encoder.configure(ENCODING);
    this.encoder = encoder;
    this.pushed = 0;
  }

  /** @param {ArrayBuffer} pcm of the stream; without one it is dropped */
  push(pcm) {
    if (this.encoder?.state !== "configured") return;
    const numberOfFrames = pcm.byteLength / 2;
    const timestamp = (this.pushed / RATE) * 1e6;
    const data = new AudioData({ ...SAMPLES, numberOfFrames, timestamp, data: pcm });
    this.encoder.encode(data);
    data.close();
    this.pushed += numberOfFrames;
  }

  /** Has all that was pushed come out. @returns {Promise<boolean>} whether it is still the same stream */
  async finish() {
    const { encoder } = this;
    this.push(new ArrayBuffer((2 * RATE * SILENCE_MS) / 1000));
    if (encoder?.state === "configured") await encoder.flush().catch(() => {});
    return encoder === this.encoder;
  }

  /** Ends the stream; what has not come out never does. */
  close() {
    if (this.encoder?.state === "configured") this.encoder.close();
    this.encoder = null;
  }
}

/** Replies on their way to the loudspeaker: packets in, PCM at the voice's rate out, in order, a little later. */
export class SpeechDecoder {
  /** @type {SpeechStream | null} */
  stream = null;
  /** The browser cannot go on. */
  onfail = () => {};

  /**
   * @param {import("./protocol.js").Chunk} chunk
   * @param {number} rate of the voice, in Hz
   * @param {(piece: Piece) => void} take for what comes of it, if a stream begins
   */
  push({ begins, first, packets }, rate, take) {
    if (begins || !this.stream) {
      // One that has no end was broken off, or goes on anew from here.
      const before = this.stream?.end(first);
      this.stream = new SpeechStream(rate, first, { take, before, fail: () => this.onfail() });
    }
    this.stream.push(packets ?? []);
  }

  /**
   * The phrase is over.
   *
   * @param {string[]} rest of its packets, in base64
   * @param {number} end the place in the turn of the first sample that is none of its
   */
  end(rest, end) {
    this.stream?.push(rest.map(fromBase64));
    this.stream?.end(end);
  }
}

class SpeechStream {
  /**
   * @param {number} rate
   * @param {number} first place in the turn of its first sample
   * @param {{take: (piece: Piece) => void, fail: () => void, before?: Promise<void>}} options `before`: the end of what
   *   comes before it
   */
  constructor(rate, first, { take, fail, before = Promise.resolve() }) {
    this.take = take;
    this.before = before;
    this.resampler = new Resampler(DECODED_RATE, rate);
    this.skip = PRE_SKIP;
    this.at = first;
    this.limit = Infinity;
    this.packets = 0;
    /** @type {Promise<void> | null} */
    this.ended = null;
    this.decoder = new AudioDecoder({ output: (data) => this.hear(data), error: fail });
    this.decoder.configure(DECODING);
  }

  /** @param {Uint8Array[]} packets */
  push(packets) {
    for (const data of packets) {
      if (this.decoder.state !== "configured" || this.ended) return;
      this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.packets * PACKET_MS * 1000, data }));
      this.packets += 1;
    }
  }

  /** @param {number} limit what lies from there on is padding @returns {Promise<void>} until all has come out */
  end(limit) {
    if (!this.ended) {
      this.limit = limit;
      this.ended = this.finish();
    }
    return this.ended;
  }

  /** @private */
  async finish() {
    if (this.decoder.state === "configured") await this.decoder.flush().catch(() => {});
    this.tell(this.resampler.tail());
    if (this.decoder.state === "configured") this.decoder.close();
    await this.before;
  }

  /** @private @param {AudioData} data */
  hear(data) {
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    data.close();
    const heard = samples.subarray(this.skip);
    this.skip -= samples.length - heard.length;
    this.tell(this.resampler.push(heard));
  }

  /** @private @param {Float32Array} made */
  tell(made) {
    const first = this.at;
    const samples = made.subarray(0, Math.max(0, this.limit - first));
    this.at += samples.length;
    if (samples.length) this.before.then(() => this.take({ first, pcm: toInt16(samples) }));
  }
}
