import assert from "node:assert/strict";
import { test } from "node:test";

import { Api } from "../../static/js/api.js";
import { Client } from "../../static/js/client.js";
import { SpeechDecoder, hasOpus } from "../../static/js/opus.js";
import { decodeChunk } from "../../static/js/protocol.js";
import { CHOICES, GREETING, Socket, state } from "./standins.js";

globalThis.WebSocket = /** @type {any} */ (Socket);
globalThis.addEventListener ??= () => {};

const PACKET = 960;
const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

/** What is common to a browser's encoder and decoder: what goes in comes out when the test says so. */
class Codec {
  /** @type {any} */
  static last;

  static async isConfigSupported() {
    return { supported: true };
  }

  constructor({ output, error }) {
    Object.assign(this, { output, error, state: "unconfigured", waiting: [], flushes: [] });
    /** @type {any} */ (this.constructor).last = this;
  }

  configure() {
    this.state = "configured";
  }

  close() {
    assert.equal(this.state, "configured");
    this.state = "closed";
  }

  flush() {
    return new Promise((resolve) => this.flushes.push(resolve));
  }

  /** All that went in comes out, as far as nobody has closed it. */
  work() {
    for (const one of this.waiting.splice(0)) if (this.state === "configured") this.output(one);
    for (const resolve of this.flushes.splice(0)) resolve();
  }
}

/** Makes one packet of a byte of each 320 samples: the first sample's lower one. */
class Encoder extends Codec {
  encode({ data, numberOfFrames }) {
    const bytes = new Uint8Array(data);
    for (let at = 0; at + 320 <= numberOfFrames; at += 320) {
      const byte = bytes[2 * at];
      this.waiting.push({ byteLength: 1, copyTo: (packet) => new Uint8Array(packet).set([byte]) });
    }
  }
}

/** Makes 960 samples of each packet, all of them its first byte in hundredths. */
class Decoder extends Codec {
  decode({ data }) {
    const numberOfFrames = PACKET;
    this.waiting.push({ numberOfFrames, copyTo: (samples) => samples.fill(data[0] / 100), close() {} });
  }
}

class Data {
  constructor(init) {
    assert.equal(init.data.byteLength, 2 * init.numberOfFrames);
    Object.assign(this, init);
  }

  close() {}
}

Object.assign(globalThis, { AudioEncoder: Encoder, AudioDecoder: Decoder, AudioData: Data, EncodedAudioChunk: Object });

function opened(features = ["opus"]) {
  const client = new Client("ws://server/ws", new Api("", () => ""), /** @type {any} */ (CHOICES));
  client.wantsOpus = true;
  client.connection.connect();
  Socket.last.tell({ ...GREETING, features });
  return { client, socket: Socket.last };
}

const said = (byte, packets = 3) => new Uint8Array(640 * packets).fill(byte).buffer;
const kinds = (sent) =>
  sent.map((one) => (one instanceof ArrayBuffer ? [...new Uint8Array(one)].join(" ") : [one.type, one.codec].join(" ").trim()));

test("a browser is asked whether it can", async (t) => {
  assert.equal(await hasOpus(), true);
  t.mock.method(Encoder, "isConfigSupported", async () => ({ supported: false }));
  assert.equal(await hasOpus(), false);
  t.mock.method(Decoder, "isConfigSupported", () => {
    throw new TypeError();
  });
  assert.equal(await hasOpus(), false);
});

test("the voice goes out in packets, and that it is over is said behind the last of them", async () => {
  const { client, socket } = opened();
  client.input.feed.hold();
  client.input.feed.push(said(1));
  client.start("hold");
  client.input.feed.push(said(2, 1));
  assert.deepEqual(kinds(socket.take()), ["start opus"]);
  Encoder.last.work();
  assert.deepEqual(kinds(socket.take()), ["1", "1", "1", "2"]);
  client.input.feed.push(said(3, 1));
  client.stop();
  assert.deepEqual(kinds(socket.take()), []);
  Encoder.last.work();
  await turnOfLoop();
  assert.deepEqual(kinds(socket.take()), ["3", "0", "0", "stop"], "and behind 40 ms of silence");
});

test("what is left of a voice never gets into another turn", async () => {
  const { client, socket } = opened();
  client.input.feed.hold();
  client.start("hold");
  socket.take();
  client.input.feed.push(said(1));
  client.stop();
  const first = Encoder.last;
  client.cancel();
  await client.cancelling;
  client.start("hold");
  client.input.feed.push(said(2, 1));
  first.work();
  await turnOfLoop();
  assert.deepEqual(kinds(socket.take()), ["cancel", "start opus"]);
  Encoder.last.work();
  assert.deepEqual(kinds(socket.take()), ["2"]);
});

test("a server or a browser that has none gets the voice as it is", async () => {
  const { client, socket } = opened([]);
  client.start("hold");
  client.stop();
  assert.deepEqual(kinds(socket.take()), ["start", "stop"]);

  const failing = opened();
  failing.client.start("tap");
  Encoder.last.error();
  failing.client.start("tap");
  failing.client.input.feed.push(said(7, 1));
  const sent = failing.socket.take();
  assert.deepEqual(kinds(sent.slice(0, 2)), ["start opus", "start pcm"], "what was chosen is taken back");
  assert.equal(sent[2].byteLength, 640);

  const free = opened();
  free.client.start("hands_free");
  Encoder.last.error();
  free.client.input.feed.push(said(7, 1));
  const told = free.socket.take();
  assert.deepEqual(kinds(told.slice(0, 2)), ["start opus", "start pcm"], "in hands-free at once");
  assert.equal(told[2].byteLength, 640);
});

test("a typed turn changes nothing of how the voice is coded that goes on beside it", () => {
  const { client, socket } = opened();
  client.start("hands_free");
  client.wantsOpus = false;
  client.type("hello");
  client.input.feed.push(said(7, 1));
  Encoder.last.work();
  assert.deepEqual(kinds(socket.take()), ["start opus", "text pcm", "7"]);
});

test("a voice that is heard on after a cancel goes out in packets again", async () => {
  const { client, socket } = opened();
  client.start("hands_free");
  client.cancel();
  await client.cancelling;
  client.session.isHandsFree = true;
  client.type("hello");
  client.input.feed.push(said(7, 1));
  Encoder.last.work();
  assert.deepEqual(kinds(socket.take()), ["start opus", "cancel", "text opus", "7"]);
});

test("a message with packets is read as the protocol says", () => {
  const bytes = "01 02 01 00 02 00 00 00 07 00 00 00 c0 5d 00 00 a0 05 01 02 02 00 aa bb 01 00 cc".split(" ");
  const buffer = Uint8Array.from(bytes, (one) => parseInt(one, 16)).buffer;
  const { packets, begins, first, seq, pcm } = decodeChunk(buffer);
  assert.deepEqual([begins, first, seq, pcm.length], [true, 24_000, 7, 0]);
  assert.deepEqual(packets.map((one) => [...one]), [[0xaa, 0xbb], [0xcc]]);
  assert.deepEqual(decodeChunk(buffer.slice(0, 23)).packets.map((one) => [...one]), [[0xaa]], "as far as it goes");
  assert.equal(decodeChunk(buffer.slice(0, 19)), null);
});

/** A decoder, what it was told to play, and the chunks that it takes. */
function playing() {
  const decoder = new SpeechDecoder();
  /** @type {{first: number, pcm: Int16Array}[]} */
  const played = [];
  const push = (first, begins, ...bytes) => {
    const packets = bytes.map((byte) => Uint8Array.of(byte));
    decoder.push(/** @type {any} */ ({ first, begins, packets }), 48_000, (piece) => played.push(piece));
  };
  /** Place, length and loudness of each piece. */
  const heard = () => played.splice(0).map(({ first, pcm }) => [first, pcm.length, Math.round((100 * pcm.at(-1)) / 32767)]);
  return { decoder, push, heard };
}

test("a phrase begins behind the encoder's delay and ends where the server says", async () => {
  const { decoder, push, heard } = playing();
  push(1000, true, 10);
  push(1700, false, 20, 30);
  Decoder.last.work();
  await turnOfLoop();
  assert.deepEqual(heard(), [[1000, PACKET - 312, 10], [1648, PACKET, 20], [2608, PACKET, 30]]);
  decoder.end([btoa("\x28")], 3600);
  Decoder.last.work();
  await turnOfLoop();
  assert.deepEqual(heard(), [[3568, 32, 40]]);
  assert.equal(Decoder.last.state, "closed");
});

test("the next phrase waits for the end of the one before, and one that goes on anew does not repeat", async () => {
  const { decoder, push, heard } = playing();
  push(0, true, 10);
  const first = Decoder.last;
  decoder.end([], 648);
  push(648, true, 20);
  Decoder.last.work();
  await turnOfLoop();
  assert.deepEqual(heard(), [], "the end of the first is not there");
  first.work();
  await turnOfLoop();
  assert.deepEqual(heard(), [[0, 648, 10], [648, 648, 20]]);

  push(1296, false, 30);
  const broken = Decoder.last;
  push(1500, true, 40);
  broken.work();
  Decoder.last.work();
  await turnOfLoop();
  assert.deepEqual(heard(), [[1296, 204, 30], [1500, 648, 40]]);
});

test("packets of a reply reach the loudspeaker under its turn, and the rest with the phrase's end", async () => {
  const { client, socket } = opened();
  /** @type {any[]} */
  const pushed = [];
  client.output.speaker.push = (...one) => pushed.push(one);
  globalThis.AudioContext ??= /** @type {any} */ (class {});
  client.type("hello");
  const phrase = { type: "tts_phrase", turn: 1, phrase: 0, start: 0, end: 3, sample_rate: 48_000 };
  socket.tell(state(1, "THINKING"), state(1, "RESPONDING"), { type: "token", turn: 1, text: "Hi." }, phrase);
  const message = Uint8Array.from([1, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1, 1, 0, 50]);
  socket.onmessage({ data: message.buffer });
  socket.tell({ type: "tts_phrase_done", turn: 1, phrase: 0, samples: 1000, rest: [btoa("\x46")] });
  Decoder.last.work();
  await turnOfLoop();
  const [turn] = client.conversation.turns;
  assert.deepEqual(
    pushed.map(([key, rate, { first, pcm }]) => [key, rate, first, pcm.length]),
    [[turn.sound, 48_000, 0, 648], [turn.sound, 48_000, 648, 352]],
  );
});
