/**
 * Spoken turns where the browser cannot send a voice as it is spoken: recorded first, sent then, answered in one piece.
 *
 * A conversation has one live session at a time, so the socket is closed while the server works on a recording, and
 * opened again afterwards: what is typed goes over it, in the same conversation.
 */

import { requestOf } from "./choices.js";
import { markAll } from "./marks.js";
import { fromWav } from "./pcm.js";
import { Recording } from "./recording.js";
import { TROUBLES, troubleOfTurn } from "./trouble.js";
import { Refusal, postUtterance } from "./utterance.js";

const LONGEST_MS = 30_000;

export class Recorded {
  /** @param {import("./assistant.js").Assistant} assistant */
  constructor(assistant) {
    this.assistant = assistant;
    /** The one that is recorded, or that the server works on. @type {import("./turn.js").Turn | null} */
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
   * Records what it hears.
   *
   * @param {MediaStream} stream
   */
  begin(stream) {
    const { assistant } = this;
    this.recording = new Recording(stream);
    this.turn = assistant.conversation.add("spoken", performance.now());
    this.turn.isRecorded = true;
    this.turn.state = "CAPTURING";
    assistant.sound.speech.begin(this.turn);
    this.timer = setTimeout(() => this.finish(), assistant.server?.max_utterance_ms ?? LONGEST_MS);
    assistant.onturn(this.turn);
    assistant.onchange();
  }

  /** The person has finished speaking. */
  async finish() {
    const { assistant, recording, turn } = this;
    if (!recording || !turn) return;
    clearTimeout(this.timer);
    this.recording = null;
    turn.state = "THINKING";
    assistant.sound.speech.end(turn);
    assistant.onchange();
    const blob = await recording.stop();
    assistant.sound.rest();
    if (turn === this.turn) await this.send(turn, blob);
  }

  /** Ends the turn, wherever it is; its sound is not this one's to end. */
  drop() {
    clearTimeout(this.timer);
    this.posting.abort();
    this.recording?.stop();
    this.recording = null;
    const { turn } = this;
    if (!turn) return;
    this.turn = null;
    this.close(turn, "cancelled");
  }

  /**
   * @private
   * @param {import("./turn.js").Turn} turn
   * @param {Blob} blob
   */
  async send(turn, blob) {
    const { assistant } = this;
    const posting = new AbortController();
    this.posting = posting;
    this.isPosting = true;
    assistant.connection.close();
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
        if (assistant.connection.status === "closed" && !assistant.wantsToken) assistant.connection.connect();
      }
      assistant.onchange();
    }
  }

  /**
   * Posts until the server takes it or says that it never will. When it says "later", nothing has been done yet.
   *
   * @private
   * @param {Blob} blob
   * @param {AbortSignal} signal
   */
  async insist(blob, signal) {
    const { assistant } = this;
    let conversation = assistant.conversationId;
    for (;;) {
      const request = { conversation, ...(assistant.server ? requestOf(assistant.choices, assistant.server) : {}) };
      try {
        const answer = await postUtterance(blob, { token: assistant.choices.token, request, signal });
        if (conversation !== assistant.conversationId) assistant.onnotice("conversation", TROUBLES.forgotten, "note");
        return answer;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.retryAfterS !== undefined) {
          // That the socket's own session is about to end is not worth a word.
          if (error.code === "SERVER_BUSY") this.tellBusy(error.retryAfterS);
          await pause(error.retryAfterS * 1000, signal).finally(() => this.tellBusy(0));
        } else if (conversation !== null && error.mayBeForgotten) {
          conversation = null;
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
    this.assistant.onnotice("busy", seconds ? TROUBLES.busy : null);
    this.assistant.onchange();
  }

  /**
   * @private
   * @param {import("./turn.js").Turn} turn
   * @param {import("./utterance.js").Answer} answer
   */
  show(turn, answer) {
    const { assistant } = this;
    const now = performance.now();
    assistant.conversationId = answer.conversation;
    turn.said = answer.transcript;
    turn.reply = answer.reply;
    turn.heard = answer.heard;
    turn.remembered = answer.remembered;
    turn.latency = answer.latency;
    turn.troubles = answer.errors.map(troubleOfTurn);
    for (const { message } of answer.infos) turn.troubles.push({ title: message, text: "" });
    for (const name of ["final", "first_token", "done"]) turn.mark(name, now);
    if (answer.audio) assistant.sound.playWhole(turn, answer.audio.sample_rate, fromWav(answer.audio.wav));
    if (answer.outcome === "empty") assistant.onnotice("heard", TROUBLES.nothingHeard, "note");
    this.close(turn, answer.outcome);
  }

  /**
   * @private
   * @param {import("./turn.js").Turn} turn
   * @param {Error} error
   */
  fail(turn, error) {
    const { assistant } = this;
    if (error instanceof Refusal) {
      turn.troubles = [troubleOfTurn(error)];
      if (error.code === "UNAUTHORIZED") assistant.askForToken();
    } else {
      turn.troubles = [TROUBLES.notSent];
    }
    this.close(turn, "failed");
  }

  /**
   * @private
   * @param {import("./turn.js").Turn} turn
   * @param {string} outcome
   */
  close(turn, outcome) {
    const { assistant } = this;
    turn.outcome = outcome;
    turn.isFinal = true;
    if (turn.isEmpty) assistant.conversation.remove(turn);
    markAll(turn);
    assistant.onturn(turn);
    assistant.onchange();
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
