/**
 * Changes the sample rate of a stream, with everything that the new rate cannot hold removed first.
 *
 * A windowed-sinc filter in polyphase form: for each of the `to / gcd` places that an output sample can have between
 * two input samples there is one row of taps, computed once. The window is Kaiser's, made for 80 dB; the filter is
 * flat to 7/8 of the lower Nyquist frequency and closed from there on up, so nothing folds back.
 *
 * Pure: no browser, so that it runs under node's tests and inside an AudioWorklet alike.
 */

const ATTENUATION_DB = 80;

/** Share of the lower Nyquist frequency that the filter needs to close. */
const TRANSITION = 1 / 8;

export class Resampler {
  /**
   * @param {number} from rate of what comes in, in Hz
   * @param {number} to rate of what goes out, in Hz
   */
  constructor(from, to) {
    const common = gcd(from, to);
    this.from = from;
    this.to = to;
    /** Steps of the input that an output sample advances by, in units of 1 / `phases` input samples. */
    this.step = from / common;
    this.phases = to / common;
    this.half = from === to ? 0 : halfWidth(from, to);
    this.rows = from === to ? [] : rowsOf(from, to, this.phases, this.half);
    this.reset();
  }

  /** Forgets all input: the next sample that comes is the first. */
  reset() {
    /** Input still needed; its first `half - 1` samples lie before the next output's place. */
    this.held = new Float32Array(Math.max(0, this.half - 1));
    this.phase = 0;
    this.taken = 0;
    this.made = 0;
  }

  /**
   * Takes more input and returns the output that it completes. Output `n` lies at input `n * from / to`: no delay is
   * added, but the last `half` input samples wait for what follows them.
   *
   * @param {Float32Array} input
   * @returns {Float32Array}
   */
  push(input) {
    this.taken += input.length;
    if (!this.half) {
      this.made += input.length;
      return input.slice();
    }
    const all = new Float32Array(this.held.length + input.length);
    all.set(this.held);
    all.set(input, this.held.length);
    const width = 2 * this.half;
    const output = new Float32Array(Math.ceil(((all.length + 1) * this.phases) / this.step));
    let begin = 0;
    let count = 0;
    while (begin + width <= all.length) {
      const row = this.rows[this.phase];
      let sum = 0;
      for (let tap = 0; tap < width; tap += 1) sum += row[tap] * all[begin + tap];
      output[count] = sum;
      count += 1;
      this.phase += this.step;
      begin += Math.floor(this.phase / this.phases);
      this.phase %= this.phases;
    }
    // One step is always shorter than the filter, so the next output's place is never beyond what is held.
    this.held = all.slice(begin);
    this.made += count;
    return output.subarray(0, count);
  }

  /**
   * What still waits, as it is if nothing follows: with it the whole output is as long as the input. The stream can go
   * on all the same.
   *
   * @returns {Float32Array}
   */
  tail() {
    if (!this.half) return new Float32Array(0);
    const { held, phase, taken, made } = this;
    const rest = Math.ceil((taken * this.to) / this.from) - made;
    const tail = this.push(new Float32Array(2 * this.half)).slice(0, Math.max(0, rest));
    Object.assign(this, { held, phase, taken, made });
    return tail;
  }
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

/**
 * Kaiser's rule for the length of a filter.
 *
 * @param {number} from
 * @param {number} to
 * @returns {number} half of the number of taps
 */
function halfWidth(from, to) {
  const transition = (TRANSITION * Math.min(from, to)) / 2 / from;
  return Math.ceil((ATTENUATION_DB - 7.95) / (14.36 * transition) / 2);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} phases
 * @param {number} half
 * @returns {Float32Array[]} for each phase, the taps for the input samples around it
 */
function rowsOf(from, to, phases, half) {
  const beta = 0.1102 * (ATTENUATION_DB - 8.7);
  const nyquist = Math.min(from, to) / 2;
  const cutoff = (nyquist * (1 - TRANSITION / 2)) / from;
  const rows = [];
  for (let phase = 0; phase < phases; phase += 1) {
    const row = new Float64Array(2 * half);
    let sum = 0;
    for (let tap = 0; tap < 2 * half; tap += 1) {
      const distance = tap - (half - 1) - phase / phases;
      row[tap] = sinc(2 * cutoff * distance) * kaiser(distance / half, beta);
      sum += row[tap];
    }
    // Each row passes a constant unchanged; otherwise the rows' small differences would be heard as a tone.
    rows.push(Float32Array.from(row, (value) => value / sum));
  }
  return rows;
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/**
 * @param {number} x -1 to 1 across the window
 * @param {number} beta
 */
function kaiser(x, beta) {
  return Math.abs(x) >= 1 ? 0 : bessel(beta * Math.sqrt(1 - x * x)) / bessel(beta);
}

/**
 * The modified Bessel function of the first kind, order zero, by its series.
 *
 * @param {number} x
 */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}
