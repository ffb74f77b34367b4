/**
 * The turns of a conversation, as the server's events tell them. Pure: events and times in, turns out.
 *
 * A turn is asked for before it has a number; the first `state` of a new number belongs to the oldest turn that waits
 * for one, or begins a turn by itself, as hands-free does, and as does a timer that is due.
 */

import { applyPartial } from "./protocol.js";
import { troubleOfTurn } from "./trouble.js";
import { phraseOf } from "./spoken.js";
import { Turn } from "./turn.js";

/** @typedef {import("./protocol.js").Message} Message */

/**
 * What an event does to the turn that it is about, by its type; the end of a turn concerns the conversation too.
 *
 * @type {Record<string, (turn: Turn, event: any, now: number) => void>}
 */
const EFFECTS = {
  state: (turn, { state }) => (turn.state = state),
  reopened: (turn) => turn.reopen(),
  hold: (turn) => (turn.isHeld = true),
  release: (turn) => (turn.isHeld = false),
  partial(turn, event, now) {
    turn.said = applyPartial(turn.said, event);
    turn.stable = event.stable;
    turn.mark("first_partial", now);
  },
  final(turn, { text }, now) {
    turn.said = text;
    turn.isFinal = true;
    turn.mark("final", now);
  },
  token(turn, { text }, now) {
    turn.reply += text;
    turn.mark("first_token", now);
  },
  tool: (turn, call) => turn.use(call),
  tts_phrase(turn, event) {
    turn.phrases.push(phraseOf(event));
    turn.rate = event.sample_rate;
  },
  tts_words: (turn, { phrase, words }) => turn.findPhrase(phrase)?.words.push(...words),
  tts_phrase_done(turn, { phrase, samples }) {
    const done = turn.findPhrase(phrase);
    if (done) done.samples = samples;
  },
  error: (turn, error) => turn.troubles.push(troubleOfTurn(error)),
  info: (turn, { message }) => turn.troubles.push({ title: message, text: "" }),
};

export class Conversation {
  /** @type {Turn[]} */
  turns = [];
  /** @type {Turn[]} */
  waiting = [];
  /** This session's turns by their number. @type {Map<number, Turn>} */
  numbered = new Map();
  /** What `Turn.silenceMs` is of turns that begin from now on. */
  silenceMs = 0;

  /** The latest turn that is under way; one that the server was asked for and has not begun is not. */
  get current() {
    return this.turns.findLast((turn) => !turn.isOver && !this.waiting.includes(turn)) ?? null;
  }

  /**
   * @param {number | null} key of the sound of a reply
   * @returns {Turn | undefined} the turn whose reply that is
   */
  withSound(key) {
    return this.turns.find((turn) => turn.sound === key);
  }

  /** Whether a turn is under way or was asked for. */
  get isBusy() {
    return this.waiting.length > 0 || this.current !== null;
  }

  /** @param {Turn} turn begun elsewhere than at this session */
  append(turn) {
    this.turns.push(turn);
    return turn;
  }

  /**
   * @param {"spoken" | "typed"} kind
   * @param {number} now
   * @param {string} [said]
   */
  ask(kind, now, said) {
    const turn = this.append(new Turn(kind, now, said));
    this.waiting.push(turn);
    return turn;
  }

  /**
   * Asks for a turn that the server could not take before.
   *
   * @param {Turn} turn
   */
  askAgain(turn) {
    turn.isPostponed = false;
    this.waiting.push(turn);
  }

  /**
   * Nobody asks for a postponed turn again.
   *
   * @param {Turn} turn
   */
  giveUp(turn) {
    turn.isPostponed = false;
    // One whose end the server has yet to tell ends with that.
    if (turn.number === null) this.end(turn, "cancelled");
  }

  /** The server did not take what was asked last. @returns {Turn | null} */
  reject() {
    const turn = this.waiting.shift() ?? null;
    if (turn) this.remove(turn);
    return turn;
  }

  /** @param {Turn} turn */
  remove(turn) {
    this.turns = this.turns.filter((one) => one !== turn);
  }

  /**
   * The session is over, and numbers begin anew. What had not ended never will, but for an upload: that has a session
   * of its own.
   *
   * @returns {Turn[]} the turns that this cut off
   */
  breakOff() {
    const broken = this.turns.filter((turn) => !turn.isOver && !turn.isUpload);
    for (const turn of broken) {
      turn.isPostponed = false;
      turn.heard = turn.silenced || turn.position ? turn.guessHeard() : 0;
      this.end(turn, "lost");
    }
    this.waiting = [];
    this.numbered.clear();
    return broken;
  }

  /**
   * @param {Message} event
   * @param {number} now
   * @returns {Turn | null} the turn that it is about
   */
  apply(event, now) {
    const turn = event.turn === undefined ? null : (this.numbered.get(event.turn) ?? this.begin(event, now));
    if (!turn) return null;
    if (event.type === "done") this.done(turn, event, now);
    else EFFECTS[event.type]?.(turn, event, now);
    return turn;
  }

  /**
   * @private
   * @param {Turn} turn
   * @param {Message} event
   * @param {number} now
   */
  done(turn, { outcome, heard, remembered, latency }, now) {
    if (turn.isPostponed) {
      this.numbered.delete(/** @type {number} */ (turn.number));
      turn.reset();
      return;
    }
    Object.assign(turn, { heard, remembered, latency });
    turn.mark("done", now);
    this.end(turn, outcome);
  }

  /**
   * The turn is over; one that has nothing to show is none.
   *
   * @param {Turn} turn
   * @param {string} outcome
   */
  end(turn, outcome) {
    turn.end(outcome);
    if (turn.isEmpty) this.remove(turn);
  }

  /**
   * @private
   * @param {Message} event
   * @param {number} now
   */
  begin(event, now) {
    if (event.type !== "state") return null;
    const kind = event.state === "CAPTURING" ? "spoken" : "typed";
    const place = event.origin ? -1 : this.waiting.findIndex((turn) => turn.kind === kind);
    let turn = this.waiting[place];
    if (turn) {
      this.waiting.splice(place, 1);
    } else {
      turn = this.append(new Turn(kind, now));
      turn.isUnasked = Boolean(event.origin);
    }
    turn.number = event.turn;
    turn.silenceMs = kind === "spoken" ? this.silenceMs : 0;
    this.numbered.set(event.turn, turn);
    return turn;
  }
}

/**
 * The conversation as plain text, for the clipboard and for a file.
 *
 * @param {Turn[]} turns
 */
export function asText(turns) {
  const parts = turns.filter((turn) => !turn.isEmpty).map((turn) => {
    const lines = turn.isUnasked ? [] : [`You: ${turn.said}`];
    lines.push(...turn.calls.map((call) => `(used ${call.name} ${call.arguments}: ${call.result ?? call.state})`));
    if (turn.reply) lines.push(`Assistant: ${turn.audible.trim()}`);
    if (turn.unheard.trim()) lines.push(`(not heard: ${turn.unheard.trim()})`);
    lines.push(...turn.troubles.map((trouble) => `(${trouble.title} ${trouble.text})`));
    return lines.join("\n");
  });
  return parts.length ? `${parts.join("\n\n")}\n` : "";
}
