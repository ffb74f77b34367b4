import assert from "node:assert/strict";
import { test } from "node:test";

import { isMoving, levelOf, orbOf } from "../../static/js/orb-shape.js";
import { PHASES, connectionOf, wordsOf } from "../../static/js/phase-words.js";
import { Turn } from "../../static/js/turn.js";

const SEEN_FROM_AFAR = ["ready", "waiting", "listening", "thinking", "answering", "held"];

/** How far the outline lies from the middle at each of its points. */
function radii(path) {
  return [...path.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => Math.hypot(Number(x), Number(y)));
}

test("outlines differ where nothing moves and nothing is heard, but for those that are told by being hollow", () => {
  const drawn = SEEN_FROM_AFAR.map((phase) => orbOf(phase, 0, 0));
  assert.equal(new Set(drawn.map(({ body, halo }) => body + halo)).size, drawn.length);
  for (const { body } of drawn) {
    assert.equal(radii(body).length, 120);
    assert.ok(Math.max(...radii(body)) <= 50, "at rest it keeps inside the button");
  }
});

test("what listens and what sounds grows with the level, and never far over the button's edge", () => {
  for (const phase of ["waiting", "listening", "answering"]) {
    assert.ok(isMoving(phase));
    const [silent, loud] = [0, 1].map((level) => orbOf(phase, level, 0));
    const size = ({ body, halo }) => Math.max(...radii(body), ...radii(halo));
    assert.ok(size(loud) > size(silent) + 2, phase);
    for (const time of [0, 0.7, 3.1]) assert.ok(size(orbOf(phase, 1, time)) < 50 * 1.2, phase);
  }
  for (const phase of ["ready", "held", "offline"]) {
    assert.ok(!isMoving(phase));
    assert.deepEqual(orbOf(phase, 1, 5), orbOf(phase, 0, 0));
  }
  assert.notEqual(orbOf("thinking", 0, 1).body, orbOf("thinking", 0, 0).body);
});

test("a level is what a person hears of it", () => {
  assert.deepEqual([0, 1e-4, 1].map(levelOf), [0, 0, 1]);
  assert.ok(Math.abs(levelOf(10 ** (-32.5 / 20)) - 0.5) < 1e-9);
});

/** @type {any} */
const REST = { wantsToken: false, postAt: 0, status: "open", reconnectAt: 0, isHandsFree: false, canInterrupt: false, turn: null };

test("each phase says what can be done now", () => {
  const words = (phase, more = {}) => wordsOf({ ...REST, ...more }, phase, 1000);
  assert.equal(words("ready"), "Press to talk, or hold");
  assert.equal(words("answering"), "Press to interrupt");
  assert.equal(words("answering", { canInterrupt: true }), "Press or speak to interrupt");
  assert.equal(words("listening", { isHandsFree: true }), "Listening for you");
  assert.equal(words("listening", { isHandsFree: true, turn: new Turn("typed", 0, "hi") }), "Listening …");
  assert.equal(words("offline", { status: "waiting", reconnectAt: 9500 }), "Reconnecting automatically in 9 s");
  assert.equal(words("offline", { status: "waiting", reconnectAt: 1100 }), "Reconnecting automatically now …");
  assert.equal(words("answering", { status: "waiting" }), "Press to interrupt", "what is left to hear can be stopped");
  assert.equal(words("ready", { wantsToken: true }), "A token is needed");
  assert.equal(words("thinking", { postAt: 4000 }), "The server is busy. Next try in 3 s");
  assert.equal(words("thinking", { turn: Object.assign(new Turn("typed", 0, "hi"), { isPostponed: true }) }), "Waiting for the conversation to be free …");
  assert.equal(words("listening", { turn: Object.assign(new Turn("spoken", 0), { isUpload: true }) }), "Recording … press when you have finished");
  assert.equal(new Set(SEEN_FROM_AFAR.map((phase) => words(phase))).size, SEEN_FROM_AFAR.length);
  assert.equal(PHASES.answering.button, "Talk over the answer");
  assert.deepEqual(["open", "closed", "waiting"].map((status) => connectionOf({ ...REST, status })), ["connected", "paused", "not connected"]);
});
