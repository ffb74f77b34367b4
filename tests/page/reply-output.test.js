import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Audio } from "../../static/js/audio.js";
import { Events } from "../../static/js/events.js";
import { ReplyOutput } from "../../static/js/reply-output.js";
import { TROUBLES } from "../../static/js/trouble.js";
import { Turn } from "../../static/js/turn.js";
import { Context, note } from "./standins.js";

globalThis.AudioContext = /** @type {any} */ (Context);

const RATE = 24_000;

/** An output whose device is `Context`, and a turn that the server answers. */
async function sounding(turns = [answered()]) {
  const events = new Events();
  const output = new ReplyOutput(events, new Audio(), "", (key) => turns.find((turn) => turn.key === key));
  const told = note(events, [], "played", "turn", "notice", "change");
  await output.open();
  // The page's clock and the device's are one.
  mock.method(performance, "now", () => Context.last.currentTime * 1000 + 1000);
  return { output, told, turn: turns[0], context: Context.last };
}

function answered() {
  const turn = new Turn("typed", 0, "hello");
  return Object.assign(turn, { number: 7, state: "RESPONDING", rate: RATE });
}

const chunk = (seconds, seq = 0) => ({ phrase: 0, turn: 7, seq, first: 0, pcm: new Int16Array(seconds * RATE).fill(8000) });
const of = (told, wanted) => told.filter(([name]) => name === wanted);

test("a reply is played to its end, and from time to time it is told how far it is", async () => {
  const { output, told, turn, context } = await sounding();
  output.play(turn, chunk(1));
  assert.equal(output.isSounding, true);
  let heard = 0;
  while (output.isSounding) heard += context.block().filter((sample) => sample).length;
  assert.ok(Math.abs(heard - RATE) < 100, `${heard}`);
  const played = of(told, "played").map(([, , samples]) => samples);
  assert.deepEqual(played, [...played].sort((a, b) => a - b));
  assert.ok(played.length >= 3 && played.length <= 5, "four times a second");
  assert.ok("first_audio" in turn.marks);
  assert.ok(of(told, "turn").every(([, told]) => told === turn));
  const before = told.length;
  turn.outcome = "completed";
  output.play(turn, chunk(0.5, 1));
  while (output.isSounding) context.block();
  assert.equal(of(told.slice(before), "played").length, 0, "of a turn that is over, the server wants to know nothing");
});

test("a cut silences at once, tells the server how far the sound was, and lets nothing more of the turn sound", async () => {
  const { output, told, turn, context } = await sounding();
  output.play(turn, chunk(1));
  for (let at = 0; at < 10; at += 1) context.block();
  told.length = 0;
  const cut = output.cut(turn, turn);
  assert.equal(turn.silenced, true);
  while (context.block().some((sample) => sample));
  await cut;
  const [[, whose, samples]] = of(told, "played");
  assert.deepEqual([whose, turn.position], [turn, samples]);
  // Ten blocks and the fade of 10 ms.
  assert.ok(samples >= 10 * 1024 - 100 && samples <= 10 * 1024 + 0.02 * RATE, `${samples}`);
  output.play(turn, chunk(1, 1));
  assert.equal(output.isSounding, false);
  assert.ok(context.block().every((sample) => !sample));
});

test("a cut of a turn that has no sound yet tells nothing that was played", async () => {
  const { output, told, turn } = await sounding();
  turn.state = "THINKING";
  await output.cut(turn, turn);
  assert.deepEqual(told, [["turn", turn]]);
  await output.cut(null, turn);
  assert.equal(told.length, 1);
});

test("of a turn that the server has ended, it is not told how far the sound was", async () => {
  const { output, told, turn, context } = await sounding();
  output.play(turn, chunk(1));
  for (let at = 0; at < 10; at += 1) context.block();
  turn.state = "COMPLETE";
  told.length = 0;
  const cut = output.cut(turn, turn);
  while (context.block().some((sample) => sample));
  await cut;
  assert.equal(of(told, "played").length, 0);
  assert.ok(turn.position > 0, "the page knows it all the same");
});

test("where the browser holds the sound back the server and the person are told, until it does no more", async () => {
  const { output, told, turn, context } = await sounding();
  context.state = "suspended";
  output.play(turn, chunk(0.1));
  output.play(turn, chunk(0.1, 1));
  assert.deepEqual(told.splice(0), [["played", turn, 0], ["notice", "suspended", TROUBLES.suspended]]);
  context.state = "running";
  context.onstatechange();
  assert.deepEqual(told.splice(0), [["notice", "suspended", null], ["change"]]);
  output.tellIfHeldBack();
  assert.deepEqual(told, []);
});

test("of a turn that is no longer part of the conversation nothing is told", async () => {
  const { output, told, context } = await sounding([]);
  output.playWhole(answered(), RATE, new Int16Array(RATE / 10).fill(8000));
  while (output.isSounding) context.block();
  assert.deepEqual(told, []);
});

test("a hold stands still and tells at once how far it came, and a release goes on to the end", async () => {
  const { output, told, turn, context } = await sounding();
  output.play(turn, chunk(1));
  for (let at = 0; at < 5; at += 1) context.block();
  told.length = 0;
  const held = output.hold(turn);
  while (context.block().some((sample) => sample));
  await held;
  const [[, whose, samples]] = of(told, "played");
  assert.deepEqual([whose, turn.position], [turn, samples]);
  assert.ok(samples >= 5 * 1024 + 0.01 * RATE - 100 && samples <= 5 * 1024 + 0.01 * RATE + 100, `${samples}`);
  output.play(turn, { ...chunk(0.5, 1), first: RATE });
  for (let at = 0; at < 20; at += 1) assert.ok(context.block().every((sample) => !sample));
  assert.equal(output.isSounding, true);
  assert.equal(output.speaker.heard(turn.sound), samples, "the word that is shown stands still as well");
  output.release();
  while (output.isSounding) context.block();
  assert.equal(of(told, "played").at(-1)[2] > samples, true);
  assert.equal(output.speaker.report.played, 1.5 * RATE);
});

test("a reply that is held before any of it sounded was not played", async () => {
  const { output, told, turn, context } = await sounding();
  const held = output.hold(turn);
  context.block();
  await held;
  assert.deepEqual(of(told, "played"), [["played", turn, 0]]);
});

test("of a reply that was interrupted nothing more is heard, and of its turn nothing more told", async () => {
  const { output, told, turn, context } = await sounding();
  output.play(turn, chunk(1));
  for (let at = 0; at < 5; at += 1) context.block();
  const held = output.hold(turn);
  while (context.block().some((sample) => sample));
  await held;
  turn.outcome = "interrupted";
  told.length = 0;
  output.drop(turn);
  assert.deepEqual([turn.silenced, output.isSounding], [true, false]);
  output.play(turn, chunk(1, 1));
  for (let at = 0; at < 20; at += 1) assert.ok(context.block().every((sample) => !sample));
  assert.equal(of(told, "played").length, 0);
});

test("a turn that is opened again is heard from its new beginning, and nothing is told of what it said before", async () => {
  const { output, told, turn, context } = await sounding();
  output.play(turn, chunk(1));
  for (let at = 0; at < 5; at += 1) context.block();
  // Before the hold has been answered, the turn begins anew.
  const held = output.hold(turn);
  turn.reopen();
  told.length = 0;
  output.drop(turn);
  while (context.block().some((sample) => sample));
  await held;
  for (let at = 0; at < 20; at += 1) context.block();
  assert.equal(of(told, "played").length, 0);
  assert.deepEqual([turn.silenced, output.isSounding, turn.position], [false, false, 0]);
  turn.rate = RATE;
  output.play(turn, chunk(0.5));
  let heard = 0;
  while (output.isSounding) heard += context.block().filter((sample) => sample).length;
  assert.ok(Math.abs(heard - RATE / 2) < 100, `${heard}`);
  assert.ok(of(told, "played").every(([, , samples]) => samples <= RATE / 2));
});
