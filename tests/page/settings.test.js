import assert from "node:assert/strict";
import { test } from "node:test";

import { wordsOfSilence } from "../../static/js/choices-view.js";
import { verdictOf } from "../../static/js/level-test.js";
import { applyInfo, offerOf } from "../../static/js/offer.js";
import { Context, GREETING } from "./standins.js";

globalThis.AudioContext = /** @type {any} */ (Context);
const { Audio } = await import("../../static/js/audio.js");

test("the silence that ends a turn is named as the server has it, and explained where pauses are weighed", () => {
  assert.deepEqual(wordsOfSilence(null), { usual: "The usual one", hint: "" });
  const offer = offerOf({ ...GREETING, silence_ms: 700 });
  assert.deepEqual(wordsOfSilence(offer), { usual: "0.7 s, default", hint: "" });
  const changed = { type: "info", code: "engines_changed", voices: [], languages: [] };
  applyInfo(offer, { ...changed, end_of_turn: "Smart Turn v3.2" });
  assert.equal(wordsOfSilence(offer).usual, "Automatic, default");
  assert.match(wordsOfSilence(offer).hint, /sooner after what sounds finished/);
  applyInfo(offer, changed);
  assert.equal(wordsOfSilence(offer).usual, "0.7 s, default");
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
