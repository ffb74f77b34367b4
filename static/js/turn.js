/** One exchange as a person sees it, and what of its reply was heard. Pure. */

import { sliceCodePoints } from "./protocol.js";
import { heardOf, spokenAt } from "./spoken.js";

/** @typedef {import("./spoken.js").Phrase} Phrase */
/** @typedef {{text: string, kind: "said" | "now" | "rest" | "lost"}} Segment */
/** @typedef {Record<string, number>} Marks */
/** @typedef {{call: string, name: string, arguments: string, state: string, result?: string}} Call */

let keys = 0;

export class Turn {
  /**
   * @param {"spoken" | "typed"} kind
   * @param {number} at when it was asked for, on the page's clock in ms
   * @param {string} [said]
   */
  constructor(kind, at, said = "") {
    /** Rises from turn to turn, also across sessions, where the server's numbers begin anew. */
    this.key = (keys += 1);
    /** The same for the sound of its reply; one that begins anew has another. */
    this.sound = this.key;
    this.kind = kind;
    this.askedAt = at;
    this.said = said;
    /** Code points of `said` that no partial will change. */
    this.stable = kind === "typed" ? Array.from(said).length : 0;
    this.isFinal = kind === "typed";
    /** Silence that the server took for its end, at most, in ms; 0 where the person ended it, or that is not known. */
    this.silenceMs = 0;
    /** The server began it by itself, and nobody has said anything. */
    this.isUnasked = false;
    /** Its words are uploaded as a recording, beside the socket's session. */
    this.isUpload = false;
    /** The server cannot take it yet, and is asked again. */
    this.isPostponed = false;
    /** The person has finished speaking, though the server has not begun to listen. */
    this.isSaid = false;
    this.reset();
  }

  /** Forgets what the server told of it. */
  reset() {
    /** The server's number, once it has told it. @type {number | null} */
    this.number = null;
    this.state = "ASKED";
    this.resetReply();
    /** The sound was stopped here, whatever the server knows of it by now. */
    this.silenced = false;
    /** @type {string | null} */
    this.outcome = null;
    this.heard = 0;
    /** Null where the server cannot know. @type {boolean | null} */
    this.remembered = false;
    /** @type {Record<string, number | null> | null} */
    this.latency = null;
    /** What the page saw, in ms since the turn was asked for. @type {Marks} */
    this.marks = {};
  }

  /** @private */
  resetReply() {
    this.reply = "";
    /** The server's tools that were used for it. @type {Call[]} */
    this.calls = [];
    /** @type {Phrase[]} */
    this.phrases = [];
    this.rate = 0;
    /** Samples of the reply heard so far, by our own account. */
    this.position = 0;
    /** Somebody speaks into it, and it stands still until the server knows what that is. */
    this.isHeld = false;
    /** @type {{title: string, text: string}[]} */
    this.troubles = [];
  }

  /** The person had not finished: forgets their words, and what the server said to them. */
  reopen() {
    this.sound = keys += 1;
    this.said = "";
    this.stable = 0;
    this.isFinal = false;
    this.resetReply();
    for (const name of ["speech_end", "final", "first_token", "first_audio", "ran_dry"]) delete this.marks[name];
  }

  /** @param {string} outcome */
  end(outcome) {
    this.outcome = outcome;
    this.isFinal = true;
  }

  get isOver() {
    return this.outcome !== null;
  }

  /** Whether there is nothing in it that is worth showing once it is over. */
  get isEmpty() {
    return !this.said && !this.reply && !this.calls.length && !this.troubles.length;
  }

  /**
   * @param {string} name
   * @param {number} at on the page's clock
   */
  mark(name, at) {
    this.marks[name] ??= Math.max(0, at - this.askedAt);
  }

  /** A tool of the server is used, or that is over. @param {Call} call */
  use({ call, name, arguments: given, state, result }) {
    const told = { call, name, arguments: given, state, result };
    const known = this.calls.find((one) => one.call === call);
    if (known) Object.assign(known, told);
    else this.calls.push(told);
  }

  /** @param {number} number the server's, of one of the reply's phrases */
  findPhrase(number) {
    return this.phrases.find((one) => one.phrase === number);
  }

  /** @param {import("./protocol.js").Chunk} chunk */
  place(chunk) {
    const phrase = this.findPhrase(chunk.phrase);
    if (phrase) phrase.first ??= chunk.first;
  }

  /**
   * The reply in pieces: what was heard, what is being said, what is still to come, what never will be.
   *
   * @param {boolean} isSounding whether its sound goes on
   * @returns {Segment[]}
   */
  segments(isSounding) {
    const { reply } = this;
    const cut = this.cutAt();
    if (cut !== null) return pieces(reply, { said: [0, cut], lost: [cut, Infinity] });
    const now = isSounding && this.position && !this.silenced ? spokenAt(this.phrases, reply, this.position) : null;
    if (!now) return pieces(reply, { [this.isOver ? "said" : "rest"]: [0, Infinity] });
    const [start, end] = now;
    return pieces(reply, { said: [0, start], now: [start, end], rest: [end, Infinity] });
  }

  /**
   * Where in the reply the sound was cut off, in code points; null if it was not. The server's word counts as soon as
   * there is one; until then it is guessed as the server would.
   *
   * @returns {number | null}
   */
  cutAt() {
    if (this.outcome === "completed") return null;
    if (this.isOver) return this.heard;
    return this.silenced ? this.guessHeard() : null;
  }

  /** The reply as far as it was, or will be, heard. */
  get audible() {
    return sliceCodePoints(this.reply, 0, this.cutAt() ?? undefined);
  }

  /** What of the reply never will be heard; empty where it was not cut off. */
  get unheard() {
    return this.reply.slice(this.audible.length);
  }

  /** Whether there is no answer, or not all of one, for no reason of the person's. */
  get hasFailed() {
    return this.outcome === "failed" || this.outcome === "timed_out";
  }

  /** What of the reply was heard by our own account, in code points. */
  guessHeard() {
    return heardOf(this.phrases, this.reply, this.position);
  }
}

/**
 * @param {string} text
 * @param {Partial<Record<Segment["kind"], [start: number, end: number]>>} places in their order
 * @returns {Segment[]}
 */
function pieces(text, places) {
  const points = Array.from(text);
  const kinds = /** @type {[Segment["kind"], [number, number]][]} */ (Object.entries(places));
  return kinds
    .map(([kind, [start, end]]) => ({ text: points.slice(start, end).join(""), kind }))
    .filter((piece) => piece.text);
}
