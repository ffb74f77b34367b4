/**
 * Spoken turns where the browser cannot send a voice as it is spoken: recorded first, uploaded then, answered in one
 * piece. One at a time; its sound is another's to play.
 */

import { Refusal } from "./api.js";
import { Recording } from "./recording.js";
import { Turn } from "./turn.js";
import { TROUBLES, troubleOfTurn } from "./trouble.js";

/** @typedef {import("./api.js").Answer} Answer */

const LONGEST_MS = 30_000;

export class Uploads {
  /**
   * @param {import("./events.js").Events} events
   * @param {import("./api.js").Api} api
   * @param {() => {conversation: string | null, [name: string]: any}} form what goes with a recording, asked for each
   *   time that it is posted
   */
  constructor(events, api, form) {
    this.events = events;
    this.api = api;
    this.form = form;
    /** The one that is recorded, or that the server works on. @type {Turn | null} */
    this.turn = null;
    /** @type {Recording | null} */
    this.recording = null;
    this.posting = new AbortController();
    this.isPosting = false;
    /** When the server, which was busy, is asked again; 0 if it was not. */
    this.retryAt = 0;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /**
   * Records what it hears, until `finish`. Throws what `MediaRecorder` throws.
   *
   * @param {MediaStream} stream
   * @param {number} [longestMs]
   * @returns {Turn} the turn that this begins
   */
  begin(stream, longestMs = LONGEST_MS) {
    this.recording = new Recording(stream);
    const turn = new Turn("spoken", performance.now());
    turn.isUpload = true;
    turn.state = "CAPTURING";
    this.turn = turn;
    this.timer = setTimeout(() => this.finish(), longestMs);
    return turn;
  }

  /** The person has finished speaking. */
  async finish() {
    const { recording, turn } = this;
    if (!recording || !turn) return;
    clearTimeout(this.timer);
    this.recording = null;
    turn.state = "THINKING";
    this.events.tell("said", turn);
    this.events.tell("change");
    const blob = await recording.stop();
    this.events.tell("recorded");
    if (turn === this.turn) await this.send(turn, blob);
  }

  /** Ends the turn, wherever it is. */
  drop() {
    clearTimeout(this.timer);
    this.posting.abort();
    this.recording?.stop();
    this.recording = null;
    const { turn } = this;
    if (!turn) return;
    this.turn = null;
    this.end(turn, "cancelled");
  }

  /**
   * @private
   * @param {Turn} turn
   * @param {Blob} blob
   */
  async send(turn, blob) {
    const posting = new AbortController();
    this.posting = posting;
    this.isPosting = true;
    this.events.tell("posting");
    try {
      const answer = await this.insist(blob, posting.signal);
      if (turn === this.turn) this.show(turn, answer);
    } catch (error) {
      if (turn === this.turn) this.fail(turn, /** @type {Error} */ (error));
    } finally {
      if (turn === this.turn) this.turn = null;
      // A later one may be on its way already.
      if (posting === this.posting) {
        this.isPosting = false;
        this.events.tell("posted");
      }
      this.events.tell("change");
    }
  }

  /**
   * Posts until the server takes it or says that it never will. When it says "later", nothing has been done yet.
   *
   * @private
   * @param {Blob} blob
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async insist(blob, signal) {
    let isForgotten = false;
    for (;;) {
      const form = this.form();
      const conversation = isForgotten ? null : form.conversation;
      const given = Object.entries({ ...form, conversation }).filter(([, value]) => value != null);
      const query = new URLSearchParams(/** @type {string[][]} */ (given));
      try {
        const answer = await this.api.read(`utterance?${query}`, { method: "POST", body: blob, signal });
        if (isForgotten) this.events.tell("notice", "conversation", TROUBLES.forgotten, "note");
        return answer;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.retryAfterS !== undefined) {
          // That the socket's own session is about to end is not worth a word.
          if (error.code === "SERVER_BUSY") this.tellBusy(error.retryAfterS);
          await pause(error.retryAfterS * 1000, signal).finally(() => this.tellBusy(0));
        } else if (conversation !== null && error.mayBeForgotten) {
          isForgotten = true;
        } else {
          throw error;
        }
      }
    }
  }

  /**
   * @private
   * @param {number} seconds until the next try; 0: there is none to wait for
   */
  tellBusy(seconds) {
    this.retryAt = seconds && performance.now() + seconds * 1000;
    this.events.tell("notice", "busy", seconds ? TROUBLES.busy : null);
    this.events.tell("change");
  }

  /**
   * @private
   * @param {Turn} turn
   * @param {Answer} answer
   */
  show(turn, answer) {
    const now = performance.now();
    const { transcript: said, reply, heard, remembered, latency } = answer;
    Object.assign(turn, { said, reply, heard, remembered, latency });
    turn.troubles = answer.errors.map(troubleOfTurn);
    for (const { message } of answer.infos) turn.troubles.push({ title: message, text: "" });
    for (const name of ["final", "first_token", "done"]) turn.mark(name, now);
    this.events.tell("answer", turn, answer);
    if (answer.outcome === "empty") this.events.tell("notice", "heard", TROUBLES.nothingHeard, "note");
    this.end(turn, answer.outcome);
  }

  /**
   * @private
   * @param {Turn} turn
   * @param {Error} error
   */
  fail(turn, error) {
    const refusal = error instanceof Refusal ? error : null;
    turn.troubles = [refusal ? troubleOfTurn(refusal) : TROUBLES.notSent];
    if (refusal?.code === "UNAUTHORIZED") this.events.tell("unauthorized");
    this.end(turn, "failed");
  }

  /**
   * @private
   * @param {Turn} turn
   * @param {string} outcome
   */
  end(turn, outcome) {
    turn.end(outcome);
    this.events.tell("uploaded", turn);
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>} throws when it is told to stop
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
