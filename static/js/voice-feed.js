/**
 * What becomes of the voice on its way from the microphone to the server: kept until the server is asked, sent as it
 * comes, or dropped. Pure: pieces of sound in, and, in their order, those out that are to be sent.
 */

import { MESSAGE_MS } from "./pcm.js";

/** Pieces that may wait for the server: the longest utterance. */
const MOST_HELD_BACK = 30_000 / MESSAGE_MS;

/** Pieces of a turn that the server can still refuse: it does so in its first moments, or not at all. */
const MOST_SENT = 3_000 / MESSAGE_MS;

/**
 * off: what comes is dropped. held: kept until the server is asked. said: no more comes, but what was kept still is.
 * on: sent.
 *
 * @typedef {"off" | "held" | "said" | "on"} FeedState
 */

export class VoiceFeed {
  /** @type {FeedState} */
  state = "off";
  /** @type {ArrayBuffer[]} */
  held = [];
  /** The beginning of what was sent. @type {ArrayBuffer[]} */
  sent = [];
  /** A piece for the server. @type {(pcm: ArrayBuffer) => void} */
  onaudio = () => {};

  /** Whether what comes is wanted at all. */
  get isListening() {
    return this.state === "held" || this.state === "on";
  }

  /** Keeps what comes from now on, until `send`. */
  hold() {
    this.held = [];
    this.state = "held";
  }

  /** Sends what was kept, and, unless that was all, what comes. */
  send() {
    this.state = this.state === "said" ? "off" : "on";
    for (const pcm of this.held) this.onaudio(pcm);
    this.sent = this.held;
    this.held = [];
  }

  /** Keeps what is kept until `send`, and no more. */
  close() {
    this.state = "said";
  }

  /** The server took nothing of what was sent: it is kept, and will be sent again. */
  takeBack() {
    this.state = this.state === "on" ? "held" : "said";
    this.held = this.sent;
    this.sent = [];
  }

  /** Drops what was kept, and what comes. */
  stop() {
    this.state = "off";
    this.held = [];
  }

  /** @param {ArrayBuffer} pcm the next piece */
  push(pcm) {
    if (this.state === "held") {
      if (this.held.push(pcm) > MOST_HELD_BACK) this.held.shift();
    } else if (this.state === "on") {
      this.onaudio(pcm);
      if (this.sent.length < MOST_SENT) this.sent.push(pcm);
    }
  }
}
