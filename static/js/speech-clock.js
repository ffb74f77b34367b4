/**
 * When the person spoke, by how loud it was: the server has a better detector, but not the page's clock. Pure.
 */

import { MESSAGE_MS } from "./pcm.js";

/** Far above the noise of a room behind a gain control, far below a voice. */
const LOUD = 0.02;

export class SpeechClock {
  /** The one that the person speaks in. @type {import("./turn.js").Turn | null} */
  turn = null;
  lastLoud = 0;

  /**
   * @param {number} rms
   * @param {number} now in ms
   */
  hear(rms, now) {
    if (rms < LOUD) return;
    this.lastLoud = now;
    // A message covers what was before it came.
    this.turn?.mark("speech_start", now - MESSAGE_MS);
  }

  /** @param {import("./turn.js").Turn} turn */
  end(turn) {
    if (turn.marks.speech_start !== undefined) turn.mark("speech_end", this.lastLoud);
    this.turn = null;
  }
}
