/** What a session tells: events, each a function that whoever wants to know puts in its place. */

/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {import("./trouble.js").Tell} Tell */

export class SessionEvents {
  constructor() {
    this.onchange = () => {};
    /** @type {(turn: Turn) => void} */
    this.onturn = () => {};
    /** @type {Tell} */
    this.onnotice = () => {};
    /** The server has greeted, and takes turns. */
    this.ongreeting = () => {};
    /** What the server offers is known, or has changed. */
    this.onoffer = () => {};
    /** The server listens for this turn. @type {(turn: Turn) => void} */
    this.onlistening = () => {};
    /** The server has stopped listening, and makes up its answer; not where it begins to speak by itself. */
    this.onthinking = () => {};
    /** All that was said in this turn is known. @type {(turn: Turn) => void} */
    this.onfinal = () => {};
    /** A piece of the reply's sound. @type {(turn: Turn, chunk: import("./protocol.js").Chunk) => void} */
    this.onchunk = () => {};
    /**
     * A phrase's sound is over: what of its packets no piece has brought, where it is Opus.
     *
     * @type {(turn: Turn, phrase: import("./spoken.js").Phrase, rest: string[]) => void}
     */
    this.onrest = () => {};
    /** Somebody speaks into the reply, which stands still. @type {(turn: Turn) => void} */
    this.onhold = () => {};
    /** That was not meant for the server, and the reply goes on. @type {(turn: Turn) => void} */
    this.onrelease = () => {};
    /** What is left of the reply is not to be heard: it was interrupted, or is void. @type {(turn: Turn) => void} */
    this.ondrop = () => {};
    /** The turn is over. @type {(turn: Turn) => void} */
    this.onend = () => {};
    /** The server took nothing of the turn; `onagain` follows, unless it is given up. @type {(turn: Turn) => void} */
    this.onpostponed = () => {};
    /** The turn may be asked for again. @type {(turn: Turn) => void} */
    this.onagain = () => {};
    /** The server is about to end the session, and nothing that is said counts any more. */
    this.onfarewell = () => {};
    /** The session is over, by either side's doing. */
    this.onlost = () => {};
  }
}
