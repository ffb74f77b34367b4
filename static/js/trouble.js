/** Every failure in plain words: what happened, and what the person can do. Pure. */

/** @typedef {{title: string, text: string}} Trouble */

/**
 * How a part of the page tells the person something: a later notice of the same id takes an earlier one's place, and
 * none at all (null) takes it away.
 *
 * @typedef {(id: string, trouble: Trouble | null, kind?: "trouble" | "note") => void} Tell
 */

/** @type {Record<string, Trouble>} */
const OF_TURNS = {
  ASR_TIMEOUT: { title: "It took too long to make out what you said.", text: "Please say it again." },
  ASR_FAIL: { title: "What you said could not be made out.", text: "Please say it again." },
  LLM_TIMEOUT: { title: "The language model took too long.", text: "Please try again." },
  LLM_FAIL: { title: "The language model failed.", text: "" },
  TTS_FAIL: { title: "A part could not be spoken.", text: "It is written here instead." },
  MAX_DURATION_EXCEEDED: {
    title: "That was the longest that one question can be.",
    text: "What came before is answered.",
  },
  INTERNAL: { title: "Something went wrong in the server.", text: "" },
  PROTOCOL_VIOLATION: { title: "The server did not take this.", text: "" },
};

/** Codes whose message is made for the server's operator, and has details that a general sentence lacks. */
const WITH_DETAILS = new Set(["LLM_FAIL", "INTERNAL", "PROTOCOL_VIOLATION"]);

/**
 * @param {{code: string, message: string, incident?: string}} error
 * @returns {Trouble}
 */
export function troubleOfTurn(error) {
  const known = OF_TURNS[error.code] ?? { title: "Something went wrong.", text: error.message };
  const details = WITH_DETAILS.has(error.code) ? error.message : known.text;
  const incident = error.incident ? `The server's log has it as ${error.incident}.` : "";
  return { title: known.title, text: [details, incident].filter(Boolean).join(" ") };
}

/** @type {Trouble} */
const NOT_ALLOWED = {
  title: "The microphone is not allowed.",
  text: "Allow it for this page, by the sign beside its address, then press again. You can type meanwhile.",
};

/** @type {Trouble} */
const NO_ANSWER = {
  title: "The microphone does not answer.",
  text: "Another program may be using it. Close that and press again.",
};

/** @type {Record<string, Trouble>} */
const OF_MICROPHONES = {
  NotAllowedError: NOT_ALLOWED,
  SecurityError: NOT_ALLOWED,
  NotFoundError: { title: "There is no microphone.", text: "Plug one in and press again, or type below." },
  NotReadableError: NO_ANSWER,
  AbortError: NO_ANSWER,
};

/**
 * Why there is no microphone.
 *
 * @param {string} name of the exception that `getUserMedia` threw
 * @returns {Trouble}
 */
export function troubleOfMicrophone(name) {
  const unknown = { title: "The microphone cannot be used.", text: `The browser says: ${name}. You can type instead.` };
  return OF_MICROPHONES[name] ?? unknown;
}

/**
 * What the page itself stands on, and may lack.
 *
 * @param {{isSecureContext: boolean, hasMicrophone: boolean, hasWorklets: boolean, hasRecorder: boolean}} abilities
 * @returns {Trouble | null}
 */
export function troubleOfPage({ isSecureContext, hasMicrophone, hasWorklets, hasRecorder }) {
  if (!isSecureContext) {
    return {
      title: "Over plain HTTP, a browser gives no page a microphone.",
      text:
        "You can type, and hear and read the answers. To talk, open this page on the server's own machine as " +
        "http://localhost, or have the server speak HTTPS: STREAM_TLS_SELF_SIGNED=1 makes up a certificate, and " +
        "STREAM_CERTFILE with STREAM_KEYFILE uses yours.",
    };
  }
  if (!hasMicrophone || !(hasWorklets || hasRecorder)) {
    return {
      title: "This browser has no microphone for pages.",
      text: "You can type, and read the answers. Any Chromium, Firefox or Safari of the last years can listen too.",
    };
  }
  return null;
}

/** @type {Record<string, Trouble>} */
export const TROUBLES = {
  suspended: { title: "The browser holds back the sound.", text: "Press anywhere on the page to let it play." },
  noConnection: { title: "There is no connection to the server.", text: "Reconnecting automatically." },
  stopping: { title: "The server is stopping.", text: "Reconnecting automatically when it is back." },
  busy: { title: "The server has no room for another session now.", text: "Reconnecting automatically." },
  idle: { title: "The session was ended, since nothing was said for long.", text: "Press to talk, and it goes on." },
  placeNeeded: {
    title: "The server is full, and needed this place for somebody else.",
    text: "Press to talk, and it is tried again.",
  },
  sessionLimit: { title: "The session had reached its longest time.", text: "A new one has begun." },
  wrongToken: {
    title: "The server does not take this token.",
    text: "Look whether it is written as it was given to you.",
  },
  newer: { title: "The server speaks a newer language than this page.", text: "Load the page anew." },
  crashed: { title: "Something went wrong in the server.", text: "Reconnecting automatically." },
  forgotten: {
    title: "The server no longer knows this conversation.",
    text: "It has begun a new one, and remembers nothing from before this point.",
  },
  held: {
    title: "This conversation is still open elsewhere.",
    text:
      "Another window may have it, or the connection that broke is still being cleared away. It is tried again by " +
      "itself; “New” begins another conversation.",
  },
  deviceGone: { title: "The microphone that you had chosen is not there.", text: "The usual one is used instead." },
  unplugged: { title: "The microphone was taken away.", text: "Press to talk with another one." },
  notSent: { title: "The connection broke off.", text: "Please say it again." },
  uploads: {
    title: "This browser cannot send your voice as you speak.",
    text: "It is recorded, and sent when you press again. Hands-free needs another browser.",
  },
  quiet: {
    title: "I hear nothing yet.",
    text: "Is the microphone on, and the right one? Another can be chosen in the settings.",
  },
  nothingHeard: { title: "I heard no words.", text: "Press and try again, a little nearer to the microphone." },
};

/**
 * Why a server takes no session: it is full, or it stops.
 *
 * @param {{message: string}} error
 * @returns {Trouble}
 */
export function troubleOfBusy({ message }) {
  return message === TROUBLES.stopping.title ? TROUBLES.stopping : TROUBLES.busy;
}

/**
 * What the person should know of something that the server tells of a whole session, by its code: what a `Tell` is
 * told.
 *
 * @type {Record<string, [id: string, trouble: Trouble, kind: "trouble" | "note"]>}
 */
export const NOTICES = {
  shutting_down: ["connection", TROUBLES.stopping, "trouble"],
  idle_timeout: ["connection", TROUBLES.idle, "note"],
  place_needed: ["connection", TROUBLES.placeNeeded, "trouble"],
  session_limit: ["session", TROUBLES.sessionLimit, "note"],
};

/**
 * Nothing but exact zeros, or nothing at all: a muted or a wrong device.
 *
 * @param {string} device
 * @returns {Trouble}
 */
export function troubleOfSilence(device) {
  const named = device ? `: this is “${device}”` : "";
  return {
    title: "The microphone sends nothing but silence.",
    text: `It may be muted, or the wrong one${named}. Another can be chosen in the settings.`,
  };
}
