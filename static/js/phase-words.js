/** What each phase is called, for those who see the page and for those who hear it. Pure. */

/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {import("./phase.js").Standing} Standing */

/** What goes on, and what a press of the large button does. @type {Record<Phase, {words: string, button: string}>} */
export const PHASES = {
  offline: { words: "Connecting …", button: "Talk" },
  ready: { words: "Press to talk, or hold", button: "Talk" },
  opening: { words: "Opening the microphone …", button: "Finish speaking" },
  listening: { words: "Listening …", button: "Finish speaking" },
  waiting: { words: "Listening for you", button: "Stop listening" },
  thinking: { words: "Thinking …", button: "Talk instead" },
  answering: { words: "Press to interrupt", button: "Talk over the answer" },
  held: { words: "Paused, listening", button: "Paused, listening. Talk over the answer" },
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
  if (phase === "listening" && isHandsFree && !turn?.said) return PHASES.waiting.words;
  if (phase === "answering" && canInterrupt) return "Press or speak to interrupt";
  return PHASES[phase].words;
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
