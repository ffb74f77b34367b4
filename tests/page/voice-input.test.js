import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Events } from "../../static/js/events.js";
import { Turn } from "../../static/js/turn.js";
import { VoiceInput } from "../../static/js/voice-input.js";
import { note } from "./standins.js";

const QUIET = { pcm: null, rms: 0.001, silent: false };
const LOUD = { pcm: null, rms: 0.1, silent: false };

/** @type {VoiceInput} */
let input;
/** @type {any[]} */
let told;

beforeEach(() => {
  const events = new Events();
  input = new VoiceInput(events, /** @type {any} */ ({ hasWorklets: true }), "");
  told = note(events, [], "notice");
  // Where the page's clock stands still, a loud moment and the press would be the same.
  input.lastLoud = -1;
  input.feed.hold();
});

/** What was said, without what was taken back. */
const titles = () => told.filter(([, , trouble]) => trouble).map(([, id, trouble]) => [id, trouble.title]);

test("a microphone from which nothing comes is named after four seconds", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  input.expect(false);
  t.mock.timers.tick(3999);
  assert.deepEqual(titles(), []);
  t.mock.timers.tick(1);
  assert.deepEqual(titles(), [["silence", "The microphone sends nothing but silence."]]);
});

test("who has pressed to talk and is not heard is told so; who leaves it open is not", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const [atOnce, expected] of /** @type {const} */ ([[true, [["quiet", "I hear nothing yet."]]], [false, []]])) {
    told.splice(0);
    input.expect(atOnce);
    input.microphone.onmessage(QUIET);
    t.mock.timers.tick(4000);
    assert.deepEqual(titles(), expected);
  }
});

test("a voice, words, or an end of listening leave nothing to say", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const comes of [
    () => input.microphone.onmessage(LOUD),
    () => (input.turn = new Turn("typed", 0, "what time")),
    () => input.rest(),
  ]) {
    input.feed.hold();
    input.expect(true);
    input.microphone.onmessage(QUIET);
    comes();
    t.mock.timers.tick(10_000);
    assert.deepEqual(titles(), []);
  }
});

test("a voice that comes late takes back what was said of it", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  input.expect(true);
  input.microphone.onmessage(QUIET);
  t.mock.timers.tick(4000);
  input.microphone.onmessage(LOUD);
  assert.deepEqual(told.at(-1), ["notice", "quiet", null]);
});
