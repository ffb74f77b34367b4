import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { Api } from "../../static/js/api.js";
import { Archive, turnOf } from "../../static/js/archive.js";
import { MOST_KEPT, Opened, agoOf, placeOf, titleOf, turnsOf } from "../../static/js/conversations.js";
import { listening } from "./listening.js";

/** Has the browser keep this, and what follows. */
function storing(kept = {}, setItem = (name, value) => (kept[name] = value)) {
  const value = { getItem: (name) => kept[name] ?? null, setItem };
  Object.defineProperty(globalThis, "localStorage", { value, configurable: true });
}

const summary = (id, last_at = 0) => ({ id, title: id, began_at: 0, last_at, turns: 1 });

test("what was opened last comes first, and there are not too many", () => {
  storing();
  const opened = new Opened("x");
  assert.deepEqual([opened.ids, opened.current], [[], null]);
  for (const id of ["a", "b", "a"]) opened.open(id);
  assert.deepEqual([opened.ids, opened.current], [["a", "b"], "a"]);
  opened.open(null);
  assert.deepEqual([opened.ids, opened.current], [["a", "b"], null]);
  for (let i = 0; i < MOST_KEPT; i += 1) opened.open(`c${i}`);
  assert.deepEqual([opened.ids.length, opened.ids[0], opened.ids.includes("a")], [MOST_KEPT, `c${MOST_KEPT - 1}`, false]);
  opened.forget(`c${MOST_KEPT - 1}`);
  assert.deepEqual([opened.ids.length, opened.current], [MOST_KEPT - 1, null]);
  opened.forget("c7");
  assert.equal(opened.ids.includes("c7"), false);
});

test("another tab's are seen, and what is damaged is nothing", () => {
  storing();
  new Opened("x").open("a");
  assert.deepEqual(new Opened("x").ids, ["a"]);
  assert.deepEqual(new Opened("y").ids, []);
  for (const text of ["", "{", "7", '{"ids": 7, "current": 7}', '{"ids": [7, null]}']) {
    storing({ x: text });
    const opened = new Opened("x");
    assert.deepEqual([opened.ids, opened.current], [[], null]);
  }
  storing({}, () => assert.fail("full"));
  new Opened("x").open("a");
  delete globalThis.localStorage;
  new Opened("x").open("a");
  assert.deepEqual(new Opened("x").ids, [], "a browser that lets nothing be kept");
});

test("each server has a place of its own", () => {
  assert.equal(placeOf("http://host/"), "voice_trio.conversations/");
  assert.equal(placeOf("http://host/voice/?x#y"), "voice_trio.conversations/voice/");
});

test("when it was, as people say it", () => {
  const now = 1_700_000_000;
  const ago = (seconds) => agoOf(now - seconds, now);
  assert.deepEqual(
    [-5, 0, 59, 60, 3599, 3600, 86399, 86400, 6 * 86400].map(ago),
    ["just now", "just now", "just now", "1 minute ago", "59 minutes ago", "1 hour ago", "23 hours ago", "yesterday", "6 days ago"],
  );
  assert.match(ago(8 * 86400), /^Nov \d+, 2023$/);
});

test("in words", () => {
  assert.deepEqual([titleOf(summary("tea")), titleOf({ ...summary("x"), title: "" })], ["tea", "Without words"]);
  assert.deepEqual([turnsOf(1), turnsOf(2)], ["1 turn", "2 turns"]);
});

test("a remembered turn is one that is over", () => {
  const call = { name: "clock", arguments: "{}", result: "noon", state: "done" };
  const turn = turnOf({ said: "Hi", reply: "It is noon.", heard: 5, outcome: "cancelled", calls: [call] });
  assert.deepEqual([turn.isOver, turn.isEmpty, turn.cutAt(), turn.calls[0].name], [true, false, 5, "clock"]);
  assert.deepEqual(turn.segments(false).map(({ text }) => text), ["It is", " noon."]);
});

/** A server that answers as it is told, and an archive of it. */
async function archiving(t, answers, { token = "", ids = [] } = {}) {
  const asked = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked.push([request.method, request.url, body && JSON.parse(body)]);
    const [status, said] = answers.shift() ?? [500, {}];
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(said));
  });
  const url = await listening(t, server);
  storing();
  const opened = new Opened("x");
  for (const id of ids) opened.open(id);
  const archive = new Archive(new Api(`${url}/api/`, () => token), opened);
  return { archive, asked, opened };
}

const page = (...ids) => [200, { conversations: ids.map((id, i) => summary(id, 100 - i)), before: null, complete: true }];
const ERROR = { code: "PROTOCOL_VIOLATION", message: "A live session uses it." };

test("without a token the server is asked about what was opened, with one about all", async (t) => {
  const { archive, asked } = await archiving(t, [page("b"), page("b")], { ids: ["a", "b"] });
  await archive.load();
  assert.deepEqual(archive.shown.map(({ id }) => id), ["b"]);
  await archive.load("tea");
  assert.deepEqual(asked, [
    ["POST", "/api/conversations/lookup", { ids: ["b", "a"] }],
    ["POST", "/api/conversations/lookup", { q: "tea", ids: ["b", "a"] }],
  ]);
  const locked = await archiving(t, [page("b"), [403, { error: ERROR }], page()], { token: "sesame" });
  await locked.archive.load("tea & milk");
  assert.deepEqual(locked.asked, [["GET", "/api/conversations?q=tea+%26+milk", ""]]);
  // The server wants no token any more.
  await locked.archive.load("");
  assert.deepEqual(locked.asked.slice(1).map(([method]) => method), ["GET", "POST"]);
});

test("older ones are added, and what cannot be loaded is told", async (t) => {
  const first = page("a", "b");
  first[1].before = "99 b";
  const { archive, asked } = await archiving(t, [first, page("c"), [503, { error: { ...ERROR, message: "Busy." } }]]);
  await archive.load();
  await archive.more();
  assert.deepEqual(archive.shown.map(({ id }) => id), ["a", "b", "c"]);
  assert.equal(asked[1][2].before, "99 b");
  await archive.more();
  assert.equal(asked.length, 2, "there are no older ones");
  await archive.load();
  assert.deepEqual([archive.trouble, archive.isLoading, archive.shown.length], ["Busy.", false, 3]);
});

test("what is removed can be put back until it is deleted", async (t) => {
  const { archive, asked, opened } = await archiving(t, [page("a", "b"), [200, {}], page("a", "b")], { ids: ["b", "a"] });
  await archive.load();
  const [removed] = archive.shown;
  archive.remove(removed);
  assert.deepEqual(archive.shown.map(({ id }) => id), ["b"]);
  archive.putBack(removed);
  assert.deepEqual(archive.shown.map(({ id }) => id), ["a", "b"], "in its place");
  assert.equal(asked.length, 1);
  archive.remove(removed);
  await archive.delete(removed);
  assert.deepEqual(asked[1], ["DELETE", "/api/conversations/a", ""]);
  assert.deepEqual([opened.ids, opened.current], [["b"], null]);
  await archive.load();
  assert.deepEqual(archive.shown.map(({ id }) => id), ["a", "b"], "what the server has again is shown");
});

test("one that is being removed is not shown again by a list that still has it", async (t) => {
  const { archive } = await archiving(t, [page("a", "b"), page("a", "b")]);
  await archive.load();
  archive.remove(archive.shown[0]);
  await archive.load();
  assert.deepEqual(archive.shown.map(({ id }) => id), ["b"]);
});

test("a session that was just ended is waited for, and what stays is put back", async (t) => {
  const held = [409, { error: { ...ERROR, retry_after_s: 2 } }];
  const answers = [page("a", "b"), held, [404, { error: ERROR }], [503, { error: { ...ERROR, message: "Gone wrong." } }]];
  const { archive, asked, opened } = await archiving(t, answers, { ids: ["a", "b"] });
  await archive.load();
  const [first, second] = archive.shown;
  archive.remove(first);
  await archive.delete(first);
  assert.equal(asked.length, 3);
  assert.deepEqual(opened.ids, ["b"], "another has deleted it");
  archive.remove(second);
  await assert.rejects(archive.delete(second), { message: "Gone wrong." });
  assert.deepEqual([opened.ids, archive.shown.map(({ id }) => id)], [["b"], ["b"]]);
});

test("the turns of one, and of one that is not there", async (t) => {
  const told = { said: "Hi", reply: "Yes.", heard: 4, outcome: "completed", calls: [] };
  const pages = [[200, { turns: [told], before: 7 }], [200, { turns: [{ ...told, said: "First" }], before: null }]];
  const { archive, asked } = await archiving(t, [page("a"), ...pages, page()]);
  const turns = await archive.turns("a/b");
  assert.deepEqual(turns.map(({ said, reply }) => [said, reply]), [["First", "Yes."], ["Hi", "Yes."]]);
  assert.deepEqual(asked.slice(1).map(([, url]) => url), ["/api/conversations/a%2Fb", "/api/conversations/a%2Fb?before=7"]);
  assert.equal(await archive.turns("x"), null);
});

test("a new name is the one that the server has taken", async (t) => {
  const { archive, asked } = await archiving(t, [page("a"), [200, { id: "a", title: "Of tea" }]]);
  await archive.load();
  await archive.rename("a", " Of  tea ");
  assert.deepEqual(asked[1], ["PATCH", "/api/conversations/a", { title: " Of  tea " }]);
  assert.equal(archive.shown[0].title, "Of tea");
});
