/** What is going on, in one line and in the looks of the controls. */

import { byId, setText } from "./dom.js";
import { phaseOf } from "./phase.js";

/** @typedef {import("./phase.js").Standing} Standing */

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
  /** @param {() => Standing} look tells where things stand now */
  constructor(look) {
    this.look = look;
    this.talk = /** @type {HTMLButtonElement} */ (byId("talk"));
    this.meter = byId("meter");
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  show() {
    const standing = this.look();
    const { isHandsFree, isPosting, postAt, wantsToken } = standing;
    const phase = phaseOf(standing);
    document.body.dataset.phase = phase;
    document.body.dataset.handsFree = String(isHandsFree);
    setText(byId("phase"), wantsToken ? "A token is needed" : wordsOf(standing, phase));
    this.talk.setAttribute("aria-label", BUTTON_NAMES[phase] ?? "Talk");
    /** @type {HTMLInputElement} */ (byId("hands-free")).checked = isHandsFree;
    /** @type {HTMLButtonElement} */ (byId("stop")).disabled = !["opening", "listening", "waiting", "thinking", "answering"].includes(phase);
    // While the server works on a recording the socket is closed, and nothing is wrong.
    const status = isPosting ? "open" : standing.status;
    setText(byId("connection"), wantsToken ? "locked" : (CONNECTIONS[status] ?? "not connected"));
    byId("connection").dataset.status = status;
    byId("token-form").hidden = !wantsToken;
    clearTimeout(this.timer);
    // The countdown goes on by itself.
    if (standing.status === "waiting" || postAt) this.timer = setTimeout(() => this.show(), 500);
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

/**
 * @param {Standing} standing
 * @param {import("./phase.js").Phase} phase
 */
function wordsOf({ isHandsFree, postAt, reconnectAt, status, turn }, phase) {
  if (postAt) return `The server is busy. ${nextTry(postAt)}`;
  if (status === "waiting") return `Not connected. ${nextTry(reconnectAt)}`;
  if (phase === "thinking" && turn?.isPostponed) return "Waiting for the conversation to be free …";
  if (phase === "listening" && turn?.isUpload) return "Recording … press when you have finished";
  return phase === "listening" && isHandsFree && !turn?.said ? WORDS.waiting : WORDS[phase];
}

/** @param {number} at on the page's clock in ms */
function nextTry(at) {
  const left = Math.ceil((at - performance.now()) / 1000);
  return left > 1 ? `Next try in ${left} seconds` : "Trying again …";
}
