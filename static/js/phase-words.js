/** What each phase is called, for those who see the page and for those who hear it. Pure. */

/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {import("./phase.js").Standing} Standing */

/** @type {Record<Phase, string>} */
const WORDS = {
  offline: "Connecting …",
  ready: "Press to talk, or hold",
  opening: "Opening the microphone …",
  listening: "Listening …",
  waiting: "Listening for you",
  thinking: "Thinking …",
  answering: "Press to interrupt",
  held: "Paused, listening",
};

/** @type {Record<Phase, string>} */
const BUTTON_NAMES = {
  offline: "Talk",
  ready: "Talk",
  opening: "Finish speaking",
  listening: "Finish speaking",
  waiting: "Stop listening",
  thinking: "Talk instead",
  answering: "Talk over the answer",
  held: "Paused, listening. Talk over the answer",
};

/** @type {Record<import("./connection.js").Status, string>} */
const CONNECTIONS = { open: "connected", closed: "paused", connecting: "connecting", waiting: "not connected" };

/**
 * @param {Standing} standing
 * @param {Phase} phase
 * @param {number} now on the page's clock in ms
 * @returns {string} what goes on, in one line
 */
export function wordsOf(standing, phase, now) {
  const { canInterrupt, isHandsFree, postAt, reconnectAt, status, turn, wantsToken } = standing;
  if (wantsToken) return "A token is needed";
  if (postAt) return `The server is busy. Next try ${soon(postAt - now)}`;
  if (status === "waiting" && phase === "offline") return `Reconnecting automatically ${soon(reconnectAt - now)}`;
  if (phase === "thinking" && turn?.isPostponed) return "Waiting for the conversation to be free …";
  if (phase === "listening" && turn?.isUpload) return "Recording … press when you have finished";
  if (phase === "listening" && isHandsFree && !turn?.said) return WORDS.waiting;
  if (phase === "answering" && canInterrupt) return "Press or speak to interrupt";
  return WORDS[phase];
}

/**
 * @param {Phase} phase
 * @returns {string} what a press of the large button does
 */
export function buttonNameOf(phase) {
  return BUTTON_NAMES[phase];
}

/** @param {Standing} standing */
export function connectionOf({ status, wantsToken }) {
  return wantsToken ? "locked" : CONNECTIONS[status];
}

/** @param {number} ms from now */
function soon(ms) {
  const left = Math.ceil(ms / 1000);
  return left > 1 ? `in ${left} s` : "now …";
}
