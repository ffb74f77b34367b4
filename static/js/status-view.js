/** What is going on, in one line and in the looks of the controls. */

import { byId, setText } from "./dom.js";

/** @type {Record<string, string>} */
const WORDS = {
  offline: "Connecting …",
  ready: "Press to talk, or hold",
  opening: "Opening the microphone …",
  listening: "Listening …",
  waiting: "Listening for you",
  thinking: "Thinking …",
  answering: "Answering",
};

/** @type {Record<string, string>} */
const CONNECTIONS = { open: "connected", closed: "asleep", connecting: "connecting" };

/** @type {Record<string, string>} */
const BUTTON_NAMES = {
  listening: "Finish speaking",
  opening: "Finish speaking",
  waiting: "Stop listening",
  thinking: "Talk instead",
  answering: "Talk over the answer",
};

/** A whisper and a shout, in dB: the ends of the level meter. */
const QUIET_DB = -55;
const LOUD_DB = -10;

export class StatusView {
  /** @param {import("./assistant.js").Assistant} assistant */
  constructor(assistant) {
    this.assistant = assistant;
    this.talk = /** @type {HTMLButtonElement} */ (byId("talk"));
    this.meter = byId("meter");
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  show() {
    const { assistant } = this;
    const { phase, connection } = assistant;
    document.body.dataset.phase = phase;
    document.body.dataset.handsFree = String(assistant.isHandsFree);
    setText(byId("phase"), assistant.wantsToken ? "A token is needed" : this.words(phase));
    this.talk.setAttribute("aria-label", BUTTON_NAMES[phase] ?? "Talk");
    /** @type {HTMLInputElement} */ (byId("hands-free")).checked = assistant.isHandsFree;
    /** @type {HTMLButtonElement} */ (byId("stop")).disabled = !["opening", "listening", "waiting", "thinking", "answering"].includes(phase);
    // While the server works on a recording the socket is closed, and nothing is wrong.
    const status = assistant.recorded.isPosting ? "open" : connection.status;
    setText(byId("connection"), assistant.wantsToken ? "locked" : (CONNECTIONS[status] ?? "not connected"));
    byId("connection").dataset.status = status;
    byId("token-form").hidden = !assistant.wantsToken;
    clearTimeout(this.timer);
    // The countdown goes on by itself.
    if (connection.status === "waiting" || assistant.recorded.retryAt) this.timer = setTimeout(() => this.show(), 500);
  }

  /**
   * @private
   * @param {string} phase
   */
  words(phase) {
    const { connection, isHandsFree, recorded } = this.assistant;
    if (recorded.retryAt) return `The server is busy. Next try ${untilNow(recorded.retryAt)}`;
    if (connection.status === "waiting") return `Not connected. Next try ${untilNow(connection.retryAt)}`;
    const turn = this.assistant.conversation.current;
    if (phase === "thinking" && turn?.isPostponed) return "Waiting for the conversation to be free …";
    if (phase === "listening" && turn?.isRecorded) return "Recording … press when you have finished";
    return phase === "listening" && isHandsFree && !turn?.said ? WORDS.waiting : WORDS[phase];
  }

  /** @param {number} rms of the last moment of sound */
  showLevel(rms) {
    const db = 20 * Math.log10(rms || 1e-9);
    const level = Math.max(0, Math.min(1, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)));
    this.talk.style.setProperty("--level", level.toFixed(2));
    this.meter.style.setProperty("--level", level.toFixed(2));
  }

  /**
   * Shows a word in a button's place for a moment.
   *
   * @param {string} id
   * @param {string} word
   */
  flash(id, word) {
    const label = /** @type {HTMLElement} */ (byId(id).querySelector(".label"));
    const before = label.dataset.word ?? label.textContent ?? "";
    label.dataset.word = before;
    label.textContent = word;
    setTimeout(() => {
      label.textContent = before;
    }, 1500);
  }
}

/** @param {number} at on the page's clock in ms */
function untilNow(at) {
  const left = Math.ceil((at - performance.now()) / 1000);
  return left > 1 ? `in ${left} seconds` : "now";
}
