import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { mock, test } from "node:test";

import { Api } from "../../static/js/api.js";
import { Events } from "../../static/js/events.js";
import { TROUBLES } from "../../static/js/trouble.js";
import { Uploads } from "../../static/js/uploads.js";
import { listening } from "./listening.js";
import { Recorder, note } from "./standins.js";

globalThis.MediaRecorder = /** @type {any} */ (Recorder);

const EVENTS = ["notice", "said", "recorded", "posting", "posted", "answer", "unauthorized", "uploaded"];

const ANSWER = {
  ...{ conversation: "theirs", outcome: "completed", transcript: "what time is it", reply: "It is noon.", heard: 11 },
  ...{ remembered: true, latency: {}, audio: null, infos: [{ code: "new", message: "By the way." }], errors: [] },
};

/**
 * A server that gives these answers, one after the other, and uploads that go there.
 *
 * @param {import("node:test").TestContext} t
 * @param {([number, object] | null)[]} answers null: the connection breaks; none left: no answer at all
 */
async function uploading(t, ...answers) {
  /** @type {{query: Record<string, string>, token: string | undefined, body: string}[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const query = Object.fromEntries(new URL(request.url ?? "", "http://server").searchParams);
    asked.push({ query, token: request.headers.authorization, body });
    server.emit("asked");
    if (!answers.length) return;
    const answer = answers.shift();
    if (answer) response.writeHead(answer[0]).end(JSON.stringify(answer[1]));
    else request.socket.destroy();
  });
  const address = await listening(t, server);
  const form = () => ({ conversation: "ours", speed: 1.5, voice: undefined });
  const events = new Events();
  const uploads = new Uploads(events, new Api(`${address}/api/`, () => "sésame"), form);
  return { uploads, server, asked, told: note(events, [], ...EVENTS) };
}

const stream = /** @type {any} */ ({});
const names = (told) => told.map(([name]) => name);
const error = (code, more = {}) => ({ error: { code, message: "No.", ...more } });

test("what is recorded is posted, and answered in one piece", async (t) => {
  const { uploads, asked, told } = await uploading(t, [200, ANSWER]);
  const turn = uploads.begin(stream);
  assert.deepEqual([turn.kind, turn.isUpload, turn.state, uploads.turn], ["spoken", true, "CAPTURING", turn]);
  await uploads.finish();
  assert.deepEqual(names(told), ["said", "recorded", "posting", "answer", "uploaded", "posted"]);
  assert.deepEqual(told[3].slice(1), [turn, ANSWER]);
  const [{ query, token, body }] = asked;
  assert.deepEqual([query, body], [{ conversation: "ours", speed: "1.5" }, Recorder.bytes]);
  assert.equal(Buffer.from(token ?? "", "latin1").toString(), "Bearer sésame");
  assert.deepEqual([turn.said, turn.reply, turn.outcome, turn.isFinal], ["what time is it", "It is noon.", "completed", true]);
  assert.deepEqual(turn.troubles, [{ title: "By the way.", text: "" }]);
  assert.deepEqual([uploads.turn, uploads.isPosting], [null, false]);
});

test("it is posted again for as long as the server says later, and without a conversation that is forgotten", async (t) => {
  const answers = [
    [503, error("SERVER_BUSY", { retry_after_s: 0.001 })],
    [400, error("PROTOCOL_VIOLATION", { retry_after_s: 0.001 })],
    [400, error("PROTOCOL_VIOLATION")],
    [200, { ...ANSWER, outcome: "empty" }],
  ];
  const { uploads, asked, told } = await uploading(t, .../** @type {any} */ (answers));
  /** @type {boolean[]} */
  const waits = [];
  uploads.events.on({ change: () => waits.push(uploads.retryAt > 0) });
  const turn = uploads.begin(stream);
  await uploads.finish();
  assert.deepEqual(asked.map(({ query }) => query.conversation), ["ours", "ours", "ours", undefined]);
  assert.deepEqual(told.filter(([name]) => name === "notice").map(([, id, trouble]) => [id, trouble]), [
    ["busy", TROUBLES.busy],
    ["busy", null],
    ["busy", null],
    ["conversation", TROUBLES.forgotten],
    ["heard", TROUBLES.nothingHeard],
  ]);
  assert.ok(waits.includes(true) && uploads.retryAt === 0);
  assert.equal(turn.outcome, "empty");
});

test("what the server will never take is a failed turn that says why", async (t) => {
  const answers = [[401, error("UNAUTHORIZED")], null, [413, error("PROTOCOL_VIOLATION")], [500, "no JSON object"]];
  const { uploads, told } = await uploading(t, .../** @type {any} */ (answers));
  const titles = [];
  for (let at = 0; at < 4; at += 1) {
    const turn = uploads.begin(stream);
    await uploads.finish();
    assert.equal(turn.outcome, "failed");
    titles.push(turn.troubles[0].title);
  }
  assert.deepEqual(titles.slice(1), [
    TROUBLES.notSent.title,
    "The server did not take this.",
    "Something went wrong in the server.",
  ]);
  assert.equal(names(told).filter((name) => name === "unauthorized").length, 1);
});

test("what is dropped while it is recorded is never posted", async (t) => {
  const { uploads, asked, told } = await uploading(t);
  const turn = uploads.begin(stream);
  uploads.drop();
  await uploads.finish();
  uploads.drop();
  assert.deepEqual(told, [["uploaded", turn]]);
  assert.deepEqual([turn.outcome, uploads.turn, asked], ["cancelled", null, []]);
});

test("what is dropped while the server works on it ends at once, and once", async (t) => {
  const { uploads, server, told } = await uploading(t);
  const turn = uploads.begin(stream);
  const finished = uploads.finish();
  await once(server, "asked");
  told.length = 0;
  uploads.drop();
  assert.deepEqual(told, [["uploaded", turn]]);
  await finished;
  assert.deepEqual(names(told), ["uploaded", "posted"]);
  assert.equal(turn.outcome, "cancelled");
});

test("dropped while it waits for a busy server, it is not posted again", async (t) => {
  const { uploads, asked, told } = await uploading(t, [503, error("SERVER_BUSY", { retry_after_s: 3600 })]);
  const turn = uploads.begin(stream);
  const busy = new Promise((resolve) => {
    uploads.events.on({ notice: resolve });
  });
  const finished = uploads.finish();
  assert.equal(await busy, "busy");
  uploads.drop();
  await finished;
  assert.deepEqual([turn.outcome, uploads.retryAt, asked.length], ["cancelled", 0, 1]);
  assert.equal(names(told).at(-1), "posted");
});

test("the longest recording ends by itself", async (t) => {
  const { uploads, told } = await uploading(t);
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const turn = uploads.begin(stream, 1500);
  mock.timers.tick(1499);
  assert.deepEqual(told, []);
  mock.timers.tick(1);
  assert.deepEqual([told, turn.state], [[["said", turn]], "THINKING"]);
  uploads.drop();
});
