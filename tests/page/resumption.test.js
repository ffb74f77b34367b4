import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Api } from "../../static/js/api.js";
import { Connection } from "../../static/js/connection.js";
import { Events } from "../../static/js/events.js";
import { Resumption } from "../../static/js/resumption.js";
import { Session } from "../../static/js/session.js";
import { CHOICES, GREETING, Socket, done, state } from "./standins.js";

globalThis.WebSocket = /** @type {any} */ (Socket);
globalThis.addEventListener ??= () => {};

const NAMED = { ...GREETING, resume: "abc", resume_s: 30, seq: 1 };
const CUT = { wasClean: false };

/** A session over a first connection, with what is said of its loss. */
function opened(greeting = NAMED) {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  const connection = new Connection("ws://server/ws", new Api("http://server/api/", () => ""));
  const events = new Events();
  const session = new Session(events, connection, /** @type {any} */ (CHOICES));
  const lost = [];
  events.on({ lost: () => lost.push(connection.status) });
  connection.connect();
  Socket.last.tell(greeting);
  return { connection, session, lost };
}

/** The connection breaks, and there is another. */
function back() {
  const before = Socket.last;
  before.onclose(CUT);
  mock.timers.tick(5_000);
  assert.notEqual(Socket.last, before);
  return Socket.last;
}

test("what the server has is not said again", () => {
  const resumption = new Resumption(NAMED);
  for (const message of ["a", "b", "c"]) resumption.keep(message);
  assert.deepEqual([3, 1, 0].map((received) => resumption.lacking(received)), [[], ["b", "c"], ["a", "b", "c"]]);
  for (let number = 0; number < 1600; number += 1) resumption.keep(`${number}`);
  assert.equal(resumption.lacking(0).length, 1500, "older ones are gone");
  resumption.keep("later");
  assert.deepEqual(resumption.lacking(1500), ["later"], "and nothing is said twice for them the next time");
  for (let piece = 0; piece < 600; piece += 1) resumption.keep(new ArrayBuffer(1920));
  assert.equal(resumption.lacking(0).filter((one) => one instanceof ArrayBuffer).length, 500, "half a minute of sound");
});

test("a session is begun by offering to come back to it", () => {
  opened();
  assert.deepEqual(Socket.last.protocols, ["voice-trio", "resume"]);
});

test("after a break the turn goes on, behind what the page has", () => {
  const { connection, session, lost } = opened();
  const turn = session.conversation.ask("typed", 0, "hello");
  session.ask(turn, "tap");
  Socket.last.tell({ ...state(1, "THINKING"), seq: 2 }, { type: "token", turn: 1, text: "Hello ", seq: 3 });
  Socket.last.onmessage({ data: new ArrayBuffer(18) });
  const socket = back();
  assert.deepEqual(socket.protocols, ["voice-trio", "resume.4.abc"], "sound counts as well");
  assert.equal(connection.status, "connecting");
  connection.say({ type: "cancel" });
  connection.send(new ArrayBuffer(4));
  assert.deepEqual(socket.sent, [], "it is kept until the server is there");
  socket.tell({ ...NAMED, seq: undefined, resumed: true, received: 1 });
  assert.equal(connection.status, "open");
  assert.deepEqual(socket.take(), [{ type: "cancel" }, new ArrayBuffer(4)]);
  socket.tell({ type: "token", turn: 1, text: "again.", seq: 5 }, { ...done(1, "cancelled"), seq: 6 });
  assert.equal(turn.reply, "Hello again.");
  assert.equal(turn.outcome, "cancelled");
  assert.deepEqual(lost, []);
});

test("a connection that nobody greets over is given up, and the session is come back to over the next", () => {
  const { connection, lost } = opened();
  const silent = back();
  mock.timers.tick(10_500);
  assert.equal(silent.isClosed, true);
  assert.equal(connection.status, "waiting");
  mock.timers.tick(3_600);
  assert.notEqual(Socket.last, silent);
  assert.deepEqual(Socket.last.protocols, ["voice-trio", "resume.1.abc"]);
  Socket.last.tell({ ...NAMED, seq: undefined, resumed: true, received: 0 });
  mock.timers.tick(20_000);
  assert.equal(connection.status, "open");
  assert.deepEqual(lost, []);
});

test("where the server has it no more, what was under way is lost, and another session begins", () => {
  const { session, lost } = opened();
  const turn = session.conversation.ask("typed", 0, "hello");
  session.ask(turn, "tap");
  Socket.last.tell({ ...state(1, "THINKING"), seq: 2 });
  const socket = back();
  assert.deepEqual(lost, []);
  socket.tell({ ...NAMED, resume: "def", resumed: false });
  assert.equal(lost.length, 1);
  assert.equal(turn.outcome, "lost");
  assert.deepEqual(socket.take(), []);
  assert.deepEqual(back().protocols, ["voice-trio", "resume.1.def"]);
});

test("a server that says goodbye has ended the session", () => {
  const { lost } = opened();
  Socket.last.onclose({ wasClean: true });
  assert.equal(lost.length, 1);
  mock.timers.tick(60_000);
  assert.deepEqual(Socket.last.protocols, ["voice-trio", "resume"]);
});

test("nobody waits longer for the session than the server does", () => {
  const { lost } = opened({ ...NAMED, resume_s: -1 });
  Socket.last.onclose(CUT);
  assert.equal(lost.length, 1);
});

test("a server that does not know of this is a lost session", () => {
  const { lost } = opened(GREETING);
  back();
  assert.equal(lost.length, 1);
});

test("whoever wants another session lets go of the one that is away", () => {
  const { connection, lost } = opened();
  Socket.last.onclose(CUT);
  connection.connect();
  assert.equal(lost.length, 1);
  assert.deepEqual(Socket.last.protocols, ["voice-trio", "resume"]);
});
