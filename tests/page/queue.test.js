import assert from "node:assert/strict";
import { test } from "node:test";

import { PlaybackQueue } from "../../static/js/playback-queue.js";

const RATE = 48_000;
const SOURCE = 22_050;

/** @param {number} count @param {number} [from] */
const speech = (count, from = 0) =>
  Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 300 * (from + i)) / SOURCE));

/** Pulls blocks as a worklet does. */
function pull(queue, blocks) {
  const all = new Float32Array(blocks * 128);
  for (let i = 0; i < blocks; i += 1) queue.pull(all.subarray(i * 128, (i + 1) * 128));
  return all;
}

const steepest = (samples) => samples.reduce((most, one, i) => (i ? Math.max(most, Math.abs(one - samples[i - 1])) : 0), 0);

test("it begins with the first chunk, and chunks follow without a seam", () => {
  const queue = new PlaybackQueue(RATE);
  for (let at = 0; at < 22_050; at += 2205) queue.push(1, SOURCE, at, speech(2205, at));
  const sound = pull(queue, 380);
  assert.notEqual(sound.findIndex((one) => one !== 0), -1);
  assert.ok(sound.findIndex((one) => Math.abs(one) > 0.1) < 128 * 2);
  assert.equal(sound.findLastIndex((one) => one !== 0) + 1, 48_000);
  // A tone of 300 Hz has no steeper step than this; a seam would.
  assert.ok(steepest(sound.slice(200, 47_800)) < (0.5 * 2 * Math.PI * 300) / RATE + 0.001);
  assert.equal(queue.played, 22_050);
  assert.equal(queue.sounding, false);
});

test("it counts what was played, not what came", () => {
  const queue = new PlaybackQueue(RATE);
  queue.push(3, SOURCE, 0, speech(22_050));
  pull(queue, 75);
  assert.equal(queue.key, 3);
  assert.equal(queue.played, Math.floor((75 * 128 * SOURCE) / RATE));
});

test("a flush fades out in 10 ms, without a click, and drops what comes late", () => {
  const queue = new PlaybackQueue(RATE);
  queue.push(1, SOURCE, 0, speech(22_050));
  pull(queue, 75);
  queue.flush(1);
  queue.push(1, SOURCE, 22_050, speech(2205));
  const sound = pull(queue, 20);
  const last = sound.findLastIndex((one) => one !== 0);
  assert.ok(last < RATE / 100, `sound until ${last}`);
  assert.ok(steepest(sound) < 0.03);
  assert.equal(queue.sounding, false);
  assert.ok(Math.abs(queue.played - (75 * 128 + 480) * (SOURCE / RATE)) < 2);
});

test("a flush of silence is over at once, and a later turn is untouched", () => {
  const queue = new PlaybackQueue(RATE);
  queue.flush(4);
  assert.equal(queue.fading, false);
  queue.push(4, SOURCE, 0, speech(100));
  assert.equal(queue.sounding, false);
  queue.push(5, SOURCE, 0, speech(2205));
  pull(queue, 2);
  assert.equal(queue.key, 5);
  queue.flush(4);
  assert.equal(queue.fading, false);
  assert.ok(queue.sounding);
});

test("a new turn that waits behind the old one's tail is heard after it", () => {
  const queue = new PlaybackQueue(RATE);
  queue.push(1, SOURCE, 0, speech(2205));
  queue.push(2, SOURCE, 0, speech(2205));
  const sound = pull(queue, 80);
  assert.equal(sound.findLastIndex((one) => one !== 0) + 1, 9600);
  assert.equal(queue.key, 2);
  assert.equal(queue.played, 2205);
});

test("after it ran dry, the count goes on from where the next chunk says", () => {
  const queue = new PlaybackQueue(RATE);
  queue.push(1, SOURCE, 0, speech(2205));
  pull(queue, 100);
  assert.equal(queue.played, 2205);
  queue.push(1, SOURCE, 2205, speech(2205, 2205));
  pull(queue, 100);
  assert.equal(queue.played, 4410);
});

test("whatever chunks, holds and flushes come, no sound of a flushed turn is left", () => {
  let seed = 7;
  const random = (/** @type {number} */ below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 50; round += 1) {
    const queue = new PlaybackQueue(RATE);
    let key = 1;
    for (let step = 0; step < 20; step += 1) {
      const what = random(6);
      if (what === 0) queue.flush((key += 1) - 1);
      else if (what === 1) pull(queue, random(30));
      else if (what === 2) queue.hold(key);
      else if (what === 3) queue.release();
      else queue.push(Math.max(1, key - random(2)), SOURCE, 0, speech(random(3000)));
    }
    queue.flush(key);
    pull(queue, 5);
    assert.deepEqual(pull(queue, 10), new Float32Array(1280));
    assert.equal(queue.sounding, false);
  }
});

/** A voice with the high sounds in which a seam is heard. */
const voice = Float32Array.from(
  { length: 22_050 },
  (_, i) => 0.4 * Math.sin((2 * Math.PI * 140 * i) / SOURCE) + 0.2 * Math.sin((2 * Math.PI * 3800 * i) / SOURCE + 1),
);

/** Plays `voice`, pushing each chunk before the block at which `blockOf` says that it comes. */
function playCut(rate, cuts, blockOf) {
  const queue = new PlaybackQueue(rate);
  const sound = new Float32Array(Math.ceil((rate * 1.5) / 128) * 128);
  let next = 0;
  for (let block = 0; block * 128 < sound.length; block += 1) {
    for (; next < cuts.length - 1 && blockOf(cuts[next]) <= block; next += 1) {
      queue.push(1, SOURCE, cuts[next], voice.slice(cuts[next], cuts[next + 1]));
    }
    queue.pull(sound.subarray(block * 128, (block + 1) * 128));
  }
  return { sound, queue };
}

/** Holds `voice` after so many blocks, for so many more, and plays it to its end. */
function playHeld(before, still, chunks = [0, voice.length]) {
  const queue = new PlaybackQueue(RATE);
  const cuts = [...chunks];
  const next = () => cuts.length > 1 && queue.push(1, SOURCE, cuts[0], voice.slice(cuts.shift(), cuts[0]));
  next();
  const first = pull(queue, before);
  queue.hold(1);
  const held = pull(queue, still);
  while (cuts.length > 1) next();
  const played = queue.played;
  queue.release();
  return { queue, first, held, played, rest: pull(queue, 420) };
}

test("a hold fades out in 10 ms and stands still, and its release goes on with the very next sample", () => {
  const whole = playCut(RATE, [0, voice.length], () => 0).sound;
  const fade = RATE / 100;
  for (const [before, chunks] of [[40, [0, 22_050]], [41, [0, 9000, 22_050]], [77, [0, 20_000, 22_050]]]) {
    const { queue, first, held, played, rest } = playHeld(/** @type {any} */ (before), 50, /** @type {any} */ (chunks));
    const at = first.length;
    assert.deepEqual(first, whole.slice(0, at));
    assert.deepEqual(held.slice(fade), new Float32Array(held.length - fade));
    // Each sample is fainter than it would have been, by one step more.
    for (let i = 1; i < fade; i += 1) assert.ok(Math.abs(held[i] - whole[at + i] * (1 - i / fade)) < 1e-6);
    assert.equal(played, Math.floor(((at + fade) * SOURCE) / RATE), "what faded out was played");
    const from = at + fade;
    assert.ok(rest[0] === 0);
    assert.ok(Math.abs(rest[48] - whole[from + 48] / 2) < 1e-6, "in 2 ms it is back");
    assert.deepEqual(rest.slice(96), whole.slice(from + 96, from + rest.length));
    assert.equal(queue.played, voice.length);
    assert.equal(queue.sounding, false);
  }
});

test("a release that comes while the sound fades out lets it come back without a click", () => {
  const queue = new PlaybackQueue(RATE);
  queue.push(1, SOURCE, 0, speech(22_050));
  pull(queue, 20);
  queue.hold(1);
  const sound = pull(queue, 1);
  queue.release();
  assert.ok(queue.fading);
  const rest = pull(queue, 400);
  assert.ok(steepest(Float32Array.of(...sound, ...rest)) < 0.03);
  assert.equal(rest.findLastIndex((one) => one !== 0) + 1, RATE - 21 * 128, "nothing is lost, and there is no gap");
});

test("of a turn that is held, nothing that comes sounds, until it is flushed; then the next one does", () => {
  const queue = new PlaybackQueue(RATE);
  queue.hold(2);
  queue.push(2, SOURCE, 0, speech(2205));
  assert.deepEqual(pull(queue, 10), new Float32Array(1280));
  assert.ok(queue.sounding);
  queue.flush(2);
  assert.equal(queue.fading, false);
  queue.hold(2);
  queue.push(3, SOURCE, 0, speech(2205));
  assert.ok(pull(queue, 10).some((one) => one !== 0), "a turn that is gone holds nothing");
  assert.equal(queue.key, 3);
});

test("a flush that comes while a hold fades out is over with that fade, and the next turn does not wait", () => {
  const queue = new PlaybackQueue(RATE);
  queue.push(1, SOURCE, 0, speech(22_050));
  pull(queue, 20);
  queue.hold(1);
  pull(queue, 2);
  queue.flush(1);
  queue.push(2, SOURCE, 0, speech(2205));
  const sound = pull(queue, 60);
  assert.ok(steepest(sound) < 0.03);
  assert.equal(sound.findLastIndex((one) => one !== 0) + 1, 480 - 256 + 4800);
  assert.equal(queue.key, 2);
});

for (const rate of [44_100, 48_000]) {
  /** The block in which the sample at `place` is due. */
  const due = (/** @type {number} */ place) => Math.floor((place * rate) / SOURCE / 128);
  const whole = playCut(rate, [0, voice.length], () => 0).sound;

  test(`at ${rate} Hz, however it is cut and whenever it comes, if in time, every sample is the same`, () => {
    let seed = 11;
    const random = (/** @type {number} */ below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 40; round += 1) {
      const cuts = [0];
      while (cuts[cuts.length - 1] < voice.length) cuts.push(Math.min(voice.length, cuts[cuts.length - 1] + 1 + random(3000)));
      // A block for the filter, which looks ahead, and up to 400 ms as the server sends it.
      const { sound, queue } = playCut(rate, cuts, (place) => due(place) - 2 - random(130));
      assert.deepEqual(sound, whole);
      assert.equal(queue.stumbles, 0);
      assert.equal(queue.played, voice.length);
    }
  });

  test(`at ${rate} Hz, what comes at the last moment leaves no seam, and what comes too late but a gap`, () => {
    let gaps = 0;
    let stumbles = 0;
    for (let late = -4; late < 12; late += 1) {
      const { sound, queue } = playCut(rate, [0, 11_025, 22_050], (place) => (place ? due(place) + late : 0));
      const from = sound.findIndex((one, i) => one !== whole[i]);
      stumbles += queue.stumbles;
      if (from < 0) continue;
      assert.equal(queue.stumbles, 1);
      // The sound goes on where it left off: after what was played of the end, all is as it should be, later or not.
      const rest = sound.findLastIndex((one) => one !== 0) - whole.findLastIndex((one) => one !== 0);
      gaps += rest > 0 ? 1 : 0;
      const after = from + 90 + rest + 100;
      assert.deepEqual(sound.slice(after, after + 5000), whole.slice(after - rest, after - rest + 5000), `${late} blocks late`);
      if (rest === 0) assert.ok(steepest(sound.slice(from - 5, from + 100)) < 0.25);
    }
    assert.ok(gaps > 3 && stumbles > gaps, `${gaps} gaps in ${stumbles} stumbles`);
  });
}
