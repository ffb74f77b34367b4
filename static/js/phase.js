/** Where things stand, in one word. */

/**
 * opening: the microphone is asked for. waiting: hands-free, and nobody speaks.
 *
 * @typedef {"offline" | "opening" | "listening" | "thinking" | "answering" | "waiting" | "ready"} Phase
 */

/**
 * @param {import("./assistant.js").Assistant} assistant
 * @returns {Phase}
 */
export function phaseOf({ isOpening, isHandsFree, recorded, connection, conversation, sound }) {
  if (isOpening) return "opening";
  // The socket is closed while the server works on a recording.
  if (recorded.turn) return recorded.turn.state === "CAPTURING" ? "listening" : "thinking";
  const isSounding = sound.speaker.key !== null;
  if (connection.status === "waiting" || connection.status === "connecting") return isSounding ? "answering" : "offline";
  if (sound.feed === "held") return "listening";
  const turn = conversation.current;
  const asked = conversation.waiting.at(-1);
  if (asked) return asked.kind === "spoken" ? "listening" : "thinking";
  if (turn?.state === "CAPTURING") return "listening";
  if (turn?.state === "THINKING" || turn?.isPostponed) return "thinking";
  if ((turn && !turn.silenced) || isSounding) return "answering";
  if (isHandsFree && sound.feed === "on") return "waiting";
  return "ready";
}
