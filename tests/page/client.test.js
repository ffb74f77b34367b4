import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { mock, test } from "node:test";

import { Api } from "../../static/js/api.js";
import { Client } from "../../static/js/client.js";
import { phaseOf } from "../../static/js/phase.js";
import { listening } from "./listening.js";
import { CHOICES, GREETING, Recorder, Socket, done, note, refusal, state } from "./standins.js";

globalThis.WebSocket = /** @type {any} */ (Socket);
globalThis.MediaRecorder = /** @type {any} */ (Recorder);
globalThis.addEventListener ??= () => {};

function opened(api = "") {
  const client = new Client("ws://server/ws", new Api(api, () => ""), CHOICES);
  const told = note(client.events, [], "turn", "notice");
  client.connection.connect();
  Socket.last.tell(GREETING);
  told.length = 0;
  return { client, told, socket: Socket.last };
}

const phase = (client) => phaseOf({ isOpening: false, isHandsFree: false, ...client.standing });
const kinds = (sent) => sent.map((one) => (one instanceof ArrayBuffer ? one.byteLength : one.type));

test("what was said of a turn that the server could not take yet is sent again with it", (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const { client, socket } = opened();
  const { feed } = client.input;
  feed.hold();
  feed.push(new ArrayBuffer(1));
  assert.equal(phase(client), "listening");
  client.start("hold");
  feed.push(new ArrayBuffer(2));
  assert.deepEqual(kinds(socket.take()), ["start", 1, 2]);
  socket.tell(state(1, "CAPTURING"), refusal(1, 1));
  feed.push(new ArrayBuffer(3));
  client.input.close();
  const [turn] = client.conversation.turns;
  turn.isSaid = true;
  feed.push(new ArrayBuffer(99));
  socket.tell(done(1, "failed"));
  assert.equal(phase(client), "thinking");
  assert.deepEqual(kinds(socket.take()), []);
  mock.timers.tick(1000);
  assert.deepEqual(kinds(socket.take()), ["start", 1, 2, 3, "stop"]);
  assert.equal(turn.isOver, false);
});

test("without a loudspeaker the server is told that nothing was played", () => {
  const { client, socket, told } = opened();
  client.type("hello");
  const phrase = { type: "tts_phrase", turn: 1, phrase: 0, start: 0, end: 3, sample_rate: 24_000 };
  socket.tell(state(1, "THINKING"), state(1, "RESPONDING"), { type: "token", turn: 1, text: "Hi." }, phrase);
  socket.take();
  const bytes = new DataView(new ArrayBuffer(18));
  bytes.setUint8(0, 1);
  bytes.setUint8(1, 1);
  bytes.setUint32(4, 1, true);
  socket.onmessage({ data: bytes.buffer });
  assert.deepEqual(socket.take(), [{ type: "played", turn: 1, samples: 0 }]);
  bytes.setUint32(4, 99, true);
  socket.onmessage({ data: bytes.buffer });
  assert.deepEqual(socket.take(), [], "of a turn that is not there");
  assert.equal(phase(client), "answering");
  assert.ok(told.every(([name]) => name === "turn"));
});

test("a cancel is told to the server where there is something to end", async () => {
  const { client, socket } = opened();
  client.cancel();
  await client.cancelling;
  assert.deepEqual(socket.take(), []);
  client.type("hello");
  socket.tell(state(1, "THINKING"));
  client.cancel();
  assert.equal(phase(client), "thinking");
  await client.cancelling;
  assert.deepEqual(kinds(socket.take()), ["text", "cancel"]);
  client.session.isHandsFree = true;
  socket.tell(done(1, "cancelled"));
  socket.take();
  client.cancel();
  await client.cancelling;
  assert.deepEqual(kinds(socket.take()), ["cancel"], "in hands-free, also between two turns");
  assert.equal(client.session.isHandsFree, false);
});

test("while the server works on an upload the socket is closed, and opened again afterwards", async (t) => {
  const answer = {
    ...{ conversation: "theirs", outcome: "completed", transcript: "hello", reply: "Hi.", heard: 3, remembered: true },
    ...{ latency: {}, audio: null, errors: [], infos: [] },
  };
  /** @type {import("node:http").ServerResponse[]} */
  const waiting = [];
  const server = createServer((_request, response) => {
    waiting.push(response);
    server.emit("asked");
  });
  const address = await listening(t, server);
  const { client, socket } = opened(`${address}/`);
  client.record();
  assert.deepEqual([phase(client), client.conversation.turns.length], ["listening", 1]);
  const finished = client.uploads.finish();
  await once(server, "asked");
  assert.deepEqual([socket.isClosed, client.standing.status, client.standing.isPosting], [true, "closed", true]);
  assert.equal(phase(client), "thinking");
  waiting[0].end(JSON.stringify(answer));
  await finished;
  assert.notEqual(Socket.last, socket);
  Socket.last.tell({ ...GREETING, conversation: "new" });
  client.type("and now?");
  assert.equal(Socket.last.take()[0].conversation, "theirs", "what is typed goes on in the conversation of the upload");
  assert.equal(client.conversation.turns[0].outcome, "completed");
});
