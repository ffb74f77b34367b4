import assert from "node:assert/strict";
import { test } from "node:test";

import { wordsOfSilence } from "../../static/js/choices-view.js";
import { verdictOf } from "../../static/js/level-test.js";
import { Context } from "./standins.js";

globalThis.AudioContext = /** @type {any} */ (Context);
const { Audio } = await import("../../static/js/audio.js");

test("the silence that ends a turn is named as the server has it, and explained where pauses are weighed", () => {
  const weighed = { at_work: "Smart Turn v3.2", endpointing: "adaptive" };
  const unknown = { usual: "The usual one", hint: "" };
  assert.deepEqual([wordsOfSilence(undefined, weighed), wordsOfSilence(700, undefined)], [unknown, unknown]);
  for (const fixed of [{ ...weighed, endpointing: "strict" }, { ...weighed, at_work: "" }]) {
    assert.deepEqual(wordsOfSilence(700, fixed), { usual: "0.7 s, default", hint: "" });
  }
  assert.equal(wordsOfSilence(700, weighed).usual, "Automatic, default");
  assert.match(wordsOfSilence(700, weighed).hint, /sooner after what sounds finished/);
});

test("a microphone is judged by the loudest moment, and not before somebody can have spoken", () => {
  assert.equal(verdictOf(0, 500), "Say something …");
  assert.equal(verdictOf(0.05, 60), "It hears you.");
  assert.match(verdictOf(0, 3000), /^Nothing comes from it/);
  assert.match(verdictOf(0.001, 3000), /^It hears next to nothing/);
  assert.equal(verdictOf(0.05, 3000), "It hears you.");
});

test("a volume that was chosen before there is any sound is that of the first sound", async () => {
  const audio = new Audio();
  audio.setVolume(0.4);
  await audio.open();
  assert.equal(audio.out?.gain.value, 0.4);
});
