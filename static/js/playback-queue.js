/**
 * What is to be heard next: chunks of speech in, samples at the device's rate out, and an account of what was played.
 *
 * Turns are told apart by a key, a number that rises from turn to turn. The sound can be held: it stands still, and
 * nothing of it is lost. Pure, as `resampler.js` is.
 */

import { Resampler } from "./resampler.js";

/** What stops the sound is a fade of this length: short enough to be "at once", long enough not to click. */
const FADE_OUT_S = 0.01;

/** After a pause the sound comes back over this time. */
const FADE_IN_S = 0.002;

/** Input that is resampled at once: what keeps each call about as long as a call of the worklet. */
const SLICE = 128;

const NOTHING = new Float32Array(0);

/** @typedef {{key: number, rate: number, first: number, samples: Float32Array, at: number}} Chunk */

export class PlaybackQueue {
  /** @param {number} rate of the device, in Hz */
  constructor(rate) {
    this.rate = rate;
    /** @type {Chunk[]} */
    this.chunks = [];
    /** @type {Resampler | null} */
    this.resampler = null;
    this.ready = NOTHING;
    /** Length of the end that is being played, of a stream that may yet go on; 0 while none is. */
    this.ending = 0;
    /** Samples of what the resampler makes next that were played already, as part of such an end. */
    this.skip = 0;
    /** Of which turn the sound is, or was last. */
    this.key = 0;
    /** How often the turn's sound ran dry before more of it came. */
    this.stumbles = 0;
    /** @type {number} the turn through which everything is thrown away */
    this.dropped = 0;
    /** @type {number} the turn with which it stands still, or does once it has faded out; 0 if it does not */
    this.held = 0;
    /** What fades out is thrown away then. */
    this.isCut = false;
    this.fadeOut = 0;
    this.fadeIn = 0;
    this.begin();
  }

  /**
   * Adds a chunk; one of a turn that was flushed is thrown away.
   *
   * @param {number} key
   * @param {number} rate of the chunk, in Hz
   * @param {number} first place of its first sample in the turn
   * @param {Float32Array} samples
   */
  push(key, rate, first, samples) {
    if (key <= this.dropped || !samples.length) return;
    this.chunks.push({ key, rate, first, samples, at: 0 });
  }

  /**
   * Throws away everything of the turns up to `key`. What sounds at this moment fades out.
   *
   * @param {number} key
   */
  flush(key) {
    this.dropped = Math.max(this.dropped, key);
    if (this.key <= key) {
      this.isCut = true;
      this.fade();
      if (!this.fadeOut) this.cut();
    }
    if (this.held <= key) this.held = 0;
  }

  /**
   * Fades out what sounds, and stands still until `release`; a turn that was flushed holds nothing.
   *
   * @param {number} key of the turn that is held
   */
  hold(key) {
    if (key <= this.dropped) return;
    this.fade();
    this.held = key;
  }

  /** Goes on where it stands still. */
  release() {
    this.held = 0;
  }

  /** Whether it stands still. */
  get isStill() {
    return this.held > 0 && !this.fadeOut;
  }

  /** Whether what was stopped still fades out. */
  get fading() {
    return this.fadeOut > 0;
  }

  /** Whether there is anything left to play. */
  get sounding() {
    return this.ready.length > 0 || this.chunks.length > 0 || this.resampler !== null;
  }

  /** Samples of the turn `key` that were played, counted from its first, at its own rate. */
  get played() {
    return Math.min(this.received, this.base + Math.floor((this.made * this.sourceRate) / this.rate));
  }

  /**
   * Fills `output` with what comes next, and with silence where there is nothing.
   *
   * @param {Float32Array} output
   */
  pull(output) {
    let filled = 0;
    while (filled < output.length && !this.isStill && this.prepare()) {
      const count = Math.min(output.length - filled, this.ready.length, this.fadeOut || Infinity);
      this.copy(output, filled, count);
      this.made += count;
      filled += count;
      if (this.fadeOut && !(this.fadeOut -= count)) this.faded();
    }
    output.fill(0, filled);
    if (filled < output.length) {
      if (this.fadeOut) this.faded();
      this.fadeIn = Math.round(FADE_IN_S * this.rate);
    }
  }

  /**
   * Makes at least one sample ready; false where there is none.
   *
   * @private
   */
  prepare() {
    if (this.ending && this.chunks[0]?.key === this.key) this.goOn();
    while (!this.ready.length) {
      const chunk = this.chunks[0];
      if (this.resampler && (!chunk || chunk.key !== this.key)) {
        this.end();
        continue;
      }
      if (!chunk) return false;
      if (!this.resampler) this.start(chunk);
      const slice = chunk.samples.subarray(chunk.at, chunk.at + SLICE);
      chunk.at += slice.length;
      this.received = chunk.first + chunk.at;
      if (chunk.at === chunk.samples.length) this.chunks.shift();
      const made = /** @type {Resampler} */ (this.resampler).push(slice);
      this.ready = made.subarray(this.skip);
      this.skip = Math.max(0, this.skip - made.length);
    }
    return true;
  }

  /**
   * Makes the stream's end ready, or, once that is played, puts the stream away.
   *
   * @private
   */
  end() {
    const resampler = /** @type {Resampler} */ (this.resampler);
    if (!this.ending) {
      const tail = resampler.tail();
      this.ending = tail.length;
      this.ready = tail.subarray(this.skip);
      this.skip = 0;
      if (this.ready.length) return;
    }
    resampler.reset();
    this.resampler = null;
    this.ending = 0;
  }

  /**
   * More came while the end was played already: the rest of it is made again, now that it is known what follows. Two
   * streams, one after the other, would have a seam.
   *
   * @private
   */
  goOn() {
    this.stumbles += 1;
    this.skip = this.ending - this.ready.length;
    this.ending = 0;
    this.ready = NOTHING;
  }

  /**
   * @private
   * @param {Chunk} chunk
   */
  start(chunk) {
    // Its tables cost a millisecond or two to make, so one is kept from turn to turn.
    if (this.spare?.from !== chunk.rate) this.spare = new Resampler(chunk.rate, this.rate);
    this.resampler = this.spare;
    this.stumbles = chunk.key === this.key ? this.stumbles + 1 : 0;
    this.key = chunk.key;
    this.begin(chunk.first, chunk.rate);
  }

  /**
   * @private
   * @param {Float32Array} output
   * @param {number} at
   * @param {number} count
   */
  copy(output, at, count) {
    const outFrom = Math.round(FADE_OUT_S * this.rate);
    const inFrom = Math.round(FADE_IN_S * this.rate);
    for (let i = 0; i < count; i += 1) {
      let sample = this.ready[i];
      if (this.fadeOut) sample *= (this.fadeOut - i) / outFrom;
      if (this.fadeIn) {
        sample *= 1 - this.fadeIn / inFrom;
        this.fadeIn -= 1;
      }
      output[at + i] = sample;
    }
    this.ready = this.ready.subarray(count);
  }

  /**
   * What fades out already does so no longer for being stopped once more; what stands still has nothing to fade.
   *
   * @private
   */
  fade() {
    if (!this.fadeOut && this.sounding && !this.held) this.fadeOut = Math.round(FADE_OUT_S * this.rate);
  }

  /** @private */
  faded() {
    this.fadeOut = 0;
    // A release that came meanwhile lets the sound go on from here.
    this.fadeIn = Math.round(FADE_IN_S * this.rate);
    if (this.isCut) this.cut();
  }

  /** @private */
  cut() {
    this.isCut = false;
    this.fadeOut = this.ending = this.skip = 0;
    this.ready = NOTHING;
    this.resampler?.reset();
    this.resampler = null;
    this.chunks = this.chunks.filter((chunk) => chunk.key > this.dropped);
  }

  /** @private */
  begin(first = 0, sourceRate = 1) {
    this.base = first;
    this.received = first;
    this.sourceRate = sourceRate;
    this.made = 0;
  }
}
