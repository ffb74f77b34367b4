/** Where things stand: in all that the page shows of it, and in one word. Pure. */

/**
 * opening: the microphone is asked for. held: the answer stands still, since somebody speaks into it. waiting:
 * hands-free, and nobody speaks.
 *
 * @typedef {"offline" | "opening" | "listening" | "thinking" | "answering" | "held" | "waiting" | "ready"} Phase
 */

/**
 * `canStream`: whether a voice can be sent as it is spoken. `isHandsFree` is what the person wants; `canInterrupt`,
 * whether speech then stops an answer. `status` and `reconnectAt` are the connection's. `upload` is a turn that is
 * recorded, or that the server works on while no socket is open; at `postAt` it is tried again, 0 if it need not be.
 * `turn` is under way, `asked` the latest that the server has not begun. Times are on the page's clock, in ms.
 *
 * @typedef {{
 *   isOpening: boolean,
 *   isHandsFree: boolean,
 *   canInterrupt: boolean,
 *   wantsToken: boolean,
 *   status: import("./connection.js").Status,
 *   reconnectAt: number,
 *   upload: Turn | null,
 *   isPosting: boolean,
 *   canStream: boolean,
 *   postAt: number,
 *   isSounding: boolean,
 *   feed: import("./voice-feed.js").FeedState,
 *   turn: Turn | null,
 *   asked: Turn | null,
 * }} Standing
 */

/** @typedef {import("./turn.js").Turn} Turn */

/**
 * @param {Standing} standing
 * @returns {Phase}
 */
export function phaseOf({ isOpening, isHandsFree, upload, status, isSounding, feed, turn, asked }) {
  if (isOpening) return "opening";
  // The socket is closed while the server works on a recording.
  if (upload) return upload.state === "CAPTURING" ? "listening" : "thinking";
  if (status === "waiting" || status === "connecting") return isSounding ? "answering" : "offline";
  if (feed === "held") return "listening";
  if (asked) return asked.kind === "spoken" ? "listening" : "thinking";
  if (turn?.state === "CAPTURING") return "listening";
  if (turn?.state === "THINKING" || turn?.isPostponed) return "thinking";
  if (turn?.isHeld && !turn.silenced) return "held";
  if ((turn && !turn.silenced) || isSounding) return "answering";
  if (isHandsFree && feed === "on") return "waiting";
  return "ready";
}
