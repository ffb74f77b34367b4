/**
 * Plays a queue and says how far it is, wherever it runs: in a worklet, or in the page where there are none. Pure.
 *
 * In: {chunk}, {flush: key}, {hold: key}, {release: true}. Out: {key, played, stumbles, time, idle, still} about every
 * 50 ms while there is sound, at its beginning and at its end; and {stopped: true, key, played} once a flush or a hold
 * has faded out.
 */

import { toFloat32 } from "./pcm.js";
import { PlaybackQueue } from "./playback-queue.js";

const REPORT_S = 0.05;

export class Player {
  /**
   * @param {number} rate of the device, in Hz
   * @param {(report: object) => void} tell
   */
  constructor(rate, tell) {
    this.queue = new PlaybackQueue(rate);
    this.tell = tell;
    this.reportAt = 0;
    this.wasSounding = false;
    /** Somebody waits for the sound to have stopped. */
    this.isStopping = false;
  }

  /**
   * @param {{
   *   chunk?: {key: number, rate: number, first: number, pcm: Int16Array},
   *   flush?: number,
   *   hold?: number,
   *   release?: true,
   * }} message
   */
  take({ chunk, flush, hold, release }) {
    const { queue } = this;
    if (chunk) queue.push(chunk.key, chunk.rate, chunk.first, toFloat32(chunk.pcm));
    if (flush !== undefined) queue.flush(flush);
    if (hold !== undefined) queue.hold(hold);
    if (release) queue.release();
    if (flush !== undefined || hold !== undefined) {
      this.isStopping = true;
      this.answer();
    }
  }

  /**
   * Fills all channels of `output` with what comes next.
   *
   * @param {Float32Array[]} output
   * @param {number} time of its first sample, in s
   */
  play([first, ...others], time) {
    this.queue.pull(first);
    for (const other of others) other.set(first);
    this.answer();
    const { sounding, key, played, stumbles, isStill } = this.queue;
    if (sounding !== this.wasSounding || (sounding && time >= this.reportAt)) {
      this.tell({ key, played, stumbles, time, idle: !sounding, still: isStill });
      this.reportAt = time + REPORT_S;
    }
    this.wasSounding = sounding;
  }

  /** @private */
  answer() {
    if (!this.isStopping || this.queue.fading) return;
    this.isStopping = false;
    this.tell({ stopped: true, key: this.queue.key, played: this.queue.played });
  }
}
