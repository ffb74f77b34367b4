/**
 * Plays a queue and says how far it is, wherever it runs: in a worklet, or in the page where there are none. Pure.
 *
 * In: {chunk}, {flush: key}. Out: {key, played, stumbles, time, idle} about every 50 ms while there is sound, at its
 * beginning and at its end; and {flushed: key, played} once a flush has faded out.
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
    /** @type {number | null} */
    this.flushing = null;
  }

  /** @param {{chunk?: {key: number, rate: number, first: number, pcm: Int16Array}, flush?: number}} message */
  take({ chunk, flush }) {
    if (chunk) this.queue.push(chunk.key, chunk.rate, chunk.first, toFloat32(chunk.pcm));
    if (flush !== undefined) {
      this.queue.flush(flush);
      this.flushing = flush;
      this.answerFlush();
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
    this.answerFlush();
    const { sounding, key, played, stumbles } = this.queue;
    if (sounding !== this.wasSounding || (sounding && time >= this.reportAt)) {
      this.tell({ key, played, stumbles, time, idle: !sounding });
      this.reportAt = time + REPORT_S;
    }
    this.wasSounding = sounding;
  }

  /** @private */
  answerFlush() {
    if (this.flushing === null || this.queue.fading) return;
    this.tell({ flushed: this.flushing, key: this.queue.key, played: this.queue.played });
    this.flushing = null;
  }
}
