import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Api } from "../../static/js/api.js";
import { Connection } from "../../static/js/connection.js";
import { Conversation } from "../../static/js/conversation.js";
import { Events } from "../../static/js/events.js";
import { Session } from "../../static/js/session.js";
import { NOTICES, TROUBLES } from "../../static/js/trouble.js";
import { CHOICES, GREETING, Socket, done, note, refusal, state } from "./standins.js";

globalThis.WebSocket = /** @type {any} */ (Socket);
globalThis.addEventListener ??= () => {};
mock.timers.enable({ apis: ["setTimeout"] });

const EVENTS = ["notice", "greeting", "listening", "thinking", "final", "hold", "release", "drop", "end", "postponed", "again", "farewell", "lost"];

/** A session that the server has greeted, and what it tells from then on. */
function opened(choices = {}) {
  const chosen = { ...CHOICES, ...choices };
  const connection = new Connection("ws://server/ws", new Api("http://server/api/", () => chosen.token));
  const events = new Events();
  const session = new Session(events, connection, chosen);
  connection.connect();
  const socket = Socket.last;
  socket.tell(GREETING);
  return { connection, session, socket, told: note(events, [], ...EVENTS) };
}

const asked = (session, kind, mode, said) => {
  const turn = session.conversation.ask(kind, 0, said);
  session.ask(turn, mode);
  return turn;
};

test("a greeting takes away what was said of the connection", () => {
  const { connection, session, socket, told } = opened();
  assert.equal(connection.status, "open");
  socket.tell({ ...GREETING, protocol: 2, conversation: "theirs" });
  const cleared = ["connection", "noConnection", "token"].map((id) => ["notice", id, null]);
  assert.deepEqual(told, [...cleared, ["notice", "newer", TROUBLES.newer, "note"], ["greeting"]]);
  assert.equal(session.conversationId, "ours", "a new session goes on with the conversation of the old one");
  session.goOn(new Conversation(), null);
  Socket.last.tell({ ...GREETING, conversation: "theirs" });
  assert.equal(session.conversationId, "theirs");
});

test("a session that goes on with a conversation asks for what waits in it", () => {
  const { session, socket } = opened();
  const shown = [];
  session.events.on({ timers: (timers) => shown.push(timers) });
  socket.take();
  socket.tell({ ...GREETING, conversation: "theirs", features: ["timers"] });
  assert.deepEqual(socket.take(), [{ type: "resume", conversation: "ours" }]);
  socket.tell({ ...GREETING, conversation: "ours", features: ["timers"] });
  socket.tell({ ...GREETING, conversation: "theirs" });
  assert.deepEqual(socket.take(), [], "nor of a server that knows nothing of timers");
  const pasta = { id: "a", kind: "timer", label: "pasta", left_ms: 5000 };
  socket.tell({ type: "timers", timers: [pasta] });
  assert.deepEqual(shown, [[], [], [], [pasta]]);
  session.cancelTimer("a");
  assert.deepEqual(socket.take(), [{ type: "cancel_timer", id: "a" }]);
});

test("a turn that nobody asked for is none of those that were asked for, and stops no listening", () => {
  const { session, socket, told } = opened();
  const typed = asked(session, "typed", "tap", "hello");
  told.length = 0;
  socket.tell({ ...state(1, "THINKING"), origin: "timer" });
  const unasked = session.conversation.numbered.get(1);
  assert.notEqual(unasked, typed);
  assert.equal(unasked.isUnasked, true);
  assert.deepEqual(told, []);
  socket.tell({ type: "token", turn: 1, text: "Your timer is up." });
  socket.tell(done(1, "interrupted"));
  socket.tell(state(2, "THINKING"));
  assert.equal(session.conversation.numbered.get(2), typed);
});

test("what is asked of the server goes with the conversation and the choices", () => {
  const { session, socket } = opened({ voice: "en-gb", silenceMs: 600 });
  asked(session, "typed", "tap", "hello");
  asked(session, "spoken", "hold");
  assert.equal(session.isHandsFree, false);
  asked(session, "spoken", "hands_free");
  assert.equal(session.isHandsFree, true);
  const common = { conversation: "ours", voice: "en-gb" };
  assert.deepEqual(socket.take(), [
    { type: "text", text: "hello", hands_free: false, ...common },
    { type: "start", mode: "hold", silence_ms: 600, locale: "de-CH", ...common },
    { type: "start", mode: "hands_free", silence_ms: 600, locale: "de-CH", ...common },
  ]);
});

test("whether the person sees the page goes with each turn", () => {
  const { session, socket } = opened();
  for (const visibilityState of ["visible", "hidden"]) {
    globalThis.document = /** @type {any} */ ({ visibilityState });
    asked(session, "typed", "tap", "hello");
    asked(session, "spoken", "tap");
  }
  delete (/** @type {any} */ (globalThis).document);
  assert.deepEqual(socket.take().map((one) => one.visible), [true, true, false, false]);
});

test("a spoken turn is told from its beginning to its end", () => {
  const { session, socket, told } = opened();
  const turn = asked(session, "spoken", "tap");
  const final = { type: "final", turn: 1, text: "What time is it?" };
  socket.take();
  socket.tell(state(1, "CAPTURING"), final, state(1, "THINKING"), done(1, "completed"));
  assert.deepEqual(told, [["listening", turn], ["final", turn], ["thinking"], ["end", turn]]);
  const [{ type, turn: number, marks }] = socket.take();
  assert.deepEqual([type, number, Object.keys(marks)], ["mark", 1, ["final", "done"]]);
});

test("hands-free may be spoken into, unless the person does not want it", () => {
  for (const [bargeIn, mode, said] of [[true, "hands_free", undefined], [false, "hands_free", false], [false, "tap", undefined]]) {
    const { session, socket } = opened({ bargeIn });
    asked(session, "spoken", mode);
    assert.equal(socket.take()[0].barge_in, said);
  }
});

test("speech into a reply is told: what stands still, what goes on, and what is heard no more", () => {
  const { session, socket, told } = opened();
  const turn = asked(session, "spoken", "hands_free");
  socket.tell(state(1, "CAPTURING"), state(1, "RESPONDING"));
  told.length = 0;
  socket.tell({ type: "hold", turn: 1, sample: 9000 }, { type: "release", turn: 1, sample: 9000 });
  assert.deepEqual(told.splice(0), [["hold", turn], ["release", turn]]);
  socket.tell(done(1, "interrupted", 3), state(2, "CAPTURING"));
  const [next] = session.conversation.turns.slice(-1);
  assert.deepEqual(told.splice(0), [["drop", turn], ["end", turn], ["listening", next]]);
  socket.tell({ type: "reopened", turn: 2, revision: 1 });
  assert.deepEqual(told.splice(0), [["drop", next], ["listening", next]], "though it was not said that it captures again");
  socket.tell({ type: "hold", turn: 2, sample: 1 });
  socket.tell(done(2, "failed", 3));
  assert.deepEqual(told.map(([name]) => name), ["hold", "drop", "end"], "nobody would let it go on");
});

test("a reply that stands still when the session is lost does not stand still for ever", () => {
  const { session, socket, told } = opened();
  const turn = asked(session, "typed", "tap", "hello");
  socket.tell(state(1, "RESPONDING"), { type: "token", turn: 1, text: "Hi." }, { type: "hold", turn: 1, sample: 1 });
  told.length = 0;
  socket.onclose();
  assert.deepEqual(told, [["lost"], ["drop", turn]]);
});

test("a conversation that is held elsewhere is waited for, and the same turn asked for again", () => {
  const { session, socket, told } = opened();
  const turn = asked(session, "typed", "tap", "hello");
  socket.tell(state(1, "THINKING"), refusal(1, 2));
  assert.deepEqual(told.splice(0), [
    ["thinking"],
    ["notice", "conversation", TROUBLES.held, "note"],
    ["postponed", turn],
  ]);
  socket.take();
  mock.timers.tick(2000);
  assert.deepEqual(told, [], "not before it is over at the server");
  socket.tell(done(1, "failed"));
  assert.deepEqual(socket.take(), [], "of a turn that has not been, no moments are told");
  mock.timers.tick(1999);
  assert.deepEqual(told, []);
  mock.timers.tick(1);
  assert.deepEqual(told, [["again", turn]]);
  assert.deepEqual([turn.isPostponed, session.conversation.waiting], [false, [turn]]);
});

test("a conversation that the server has forgotten is left for the session's own, and hands-free ended", () => {
  const { session, socket, told } = opened();
  session.conversationId = "forgotten";
  const turn = asked(session, "spoken", "hands_free");
  socket.take();
  socket.tell(state(1, "CAPTURING"), refusal(1));
  assert.deepEqual(socket.take(), [{ type: "cancel" }]);
  assert.equal(session.isHandsFree, false);
  assert.deepEqual(told.slice(1), [["notice", "conversation", TROUBLES.forgotten, "note"], ["postponed", turn]]);
  told.length = 0;
  socket.tell(done(1, "failed"));
  mock.timers.tick(0);
  assert.deepEqual(told, [["again", turn]], "and what was said of it stays");
  asked(session, "typed", "tap", "hello");
  assert.equal(socket.take().at(-1).conversation, "ours");
});

test("a refusal for another reason is the end of the turn", () => {
  const { session, socket, told } = opened();
  const turn = asked(session, "typed", "tap", "hello");
  socket.tell(state(1, "THINKING"), refusal(1), done(1, "failed"));
  assert.deepEqual(told, [["thinking"], ["end", turn]]);
});

test("a turn that is given up is not asked for again", () => {
  const { session, socket, told } = opened();
  const turn = asked(session, "typed", "tap", "hello");
  socket.tell(state(1, "THINKING"), refusal(1, 2), done(1, "failed"));
  told.length = 0;
  session.giveUp();
  mock.timers.tick(5000);
  assert.deepEqual(told, [["notice", "conversation", null]]);
  assert.equal(turn.outcome, "cancelled");
  session.giveUp();
  assert.equal(told.length, 1, "there is nothing left to give up");
});

test("a lost session breaks off its turns, and none of them is asked for again", () => {
  const { session, socket, told } = opened();
  const turn = asked(session, "typed", "tap", "hello");
  socket.tell(state(1, "THINKING"), refusal(1, 2), done(1, "failed"));
  session.isHandsFree = true;
  told.length = 0;
  socket.onclose();
  mock.timers.tick(2000);
  assert.deepEqual(told, [["lost"]]);
  assert.deepEqual([turn.outcome, session.isHandsFree], ["lost", false]);
});

test("a farewell is told, and says whether to come back", () => {
  for (const [code, status] of [["shutting_down", "waiting"], ["idle_timeout", "closed"], ["place_needed", "closed"]]) {
    const { connection, session, socket, told } = opened();
    session.conversation.ask("typed", 0, "hello");
    socket.tell({ type: "info", code, message: "m" });
    assert.deepEqual(told.map(([name]) => name), ["farewell", "notice"]);
    assert.equal(session.conversation.waiting.length, code === "shutting_down" ? 0 : 1, code);
    socket.onclose();
    assert.equal(connection.status, status, code);
    connection.close();
  }
});

test("what an info means to the person", () => {
  for (const code of ["shutting_down", "idle_timeout", "place_needed", "session_limit"]) {
    const { socket, told } = opened();
    socket.tell({ type: "info", code, message: "m" });
    const notices = told.filter(([name]) => name === "notice");
    assert.deepEqual(notices, [["notice", ...NOTICES[code]]], code);
    assert.ok(notices[0][2].title);
  }
  for (const code of ["asr_fallback", "llm_synthetic", "engines_changed", "new"]) {
    const { socket, told } = opened();
    socket.tell({ type: "info", code, message: "m" });
    assert.deepEqual(told.filter(([name]) => name === "notice"), [], code);
  }
});

test("a locked server is not asked for a turn until a token is there", async () => {
  const { connection, session, socket, told } = opened({ token: "wrong" });
  socket.tell({ type: "error", code: "UNAUTHORIZED", message: "m", recoverable: false });
  socket.onclose();
  assert.deepEqual([connection.status, session.wantsToken, await session.reach()], ["closed", true, false]);
  assert.deepEqual(told, [["notice", "token", TROUBLES.wrongToken], ["lost"]]);
  session.present("right");
  assert.equal(session.choices.token, "right");
  assert.deepEqual(Socket.last.protocols, ["voice-trio", "resume", "bearer.cmlnaHQ"]);
  Socket.last.tell(GREETING);
  assert.deepEqual([session.wantsToken, await session.reach()], [false, true]);
});

test("a full server is asked again when it said, and one that crashed says so", () => {
  const { connection, socket, told } = opened();
  const at = performance.now();
  socket.tell({ type: "error", code: "SERVER_BUSY", message: "m", recoverable: false, retry_after_s: 7 });
  socket.tell({ type: "error", code: "INTERNAL", message: "why", recoverable: false });
  assert.deepEqual(told[0], ["notice", "connection", TROUBLES.busy]);
  assert.match(told[1][2].text, /\(why\)/);
  socket.onclose();
  assert.ok(connection.retryAt >= at + 7000);
  connection.close();
});

/** Why the handshake of a session was refused, as the server answers it to who asks. */
async function refused(status, body) {
  const { connection, session, told } = opened({ token: "secret" });
  const asked = mock.method(globalThis, "fetch", async () => new Response(JSON.stringify(body), { status }));
  const at = performance.now();
  connection.connect();
  told.length = 0;
  await Socket.last.onclose();
  const [url, { headers }] = asked.mock.calls[0].arguments;
  assert.deepEqual([url, headers], ["http://server/api/room", { Authorization: "Bearer secret" }]);
  asked.mock.restore();
  const found = [connection.status, Math.round((connection.retryAt - at) / 1000), told];
  connection.close();
  assert.equal(session.wantsToken, false);
  return found;
}

test("a refused handshake is explained by who refused it", async () => {
  const error = { code: "SERVER_BUSY", message: "The server is full.", recoverable: false, retry_after_s: 100 };
  let [status, wait, told] = await refused(503, { error });
  assert.deepEqual(told, [["notice", "connection", TROUBLES.busy], ["lost"]]);
  assert.equal(status, "waiting");
  assert.ok(wait >= 100, `${wait}`);
  [status, wait, told] = await refused(503, { error: { ...error, message: TROUBLES.stopping.title } });
  assert.deepEqual(told[0], ["notice", "connection", TROUBLES.stopping]);
  for (const answer of [[200, { room: true }], [503, "a proxy's"], [401, { error: { code: "UNAUTHORIZED", message: "m" } }]]) {
    [status, wait, told] = await refused(...answer);
    assert.deepEqual([status, wait, told], ["waiting", 1, [["lost"]]], `${answer[0]}`);
  }
});

test("a handshake is refused also where a browser cannot limit the time of a request", async () => {
  const { timeout } = AbortSignal;
  delete AbortSignal.timeout;
  const { connection, told } = opened();
  connection.connect();
  told.length = 0;
  await Socket.last.onclose();
  AbortSignal.timeout = timeout;
  assert.deepEqual([connection.status, told], ["waiting", [["lost"]]]);
  connection.close();
});

test("a connection that is wanted anew does not wait to hear why the one before it failed", async () => {
  const { connection } = opened();
  let answer;
  mock.method(globalThis, "fetch", () => new Promise((resolve) => (answer = resolve)));
  connection.connect();
  const closed = Socket.last.onclose();
  connection.connect();
  const socket = Socket.last;
  answer(new Response("{}"));
  await closed;
  globalThis.fetch.mock.restore();
  assert.deepEqual([connection.status, connection.socket], ["connecting", socket]);
  connection.close();
});

test("what is refused before it has become a turn is taken from the page", () => {
  const { session, socket, told } = opened();
  asked(session, "typed", "tap", "hello");
  socket.tell({ type: "error", code: "PROTOCOL_VIOLATION", message: "Too long.", recoverable: true });
  assert.deepEqual(told, [["notice", "refused", { title: "The server did not take that.", text: "Too long." }, "note"]]);
  assert.equal(session.conversation.turns.length, 0);
});
