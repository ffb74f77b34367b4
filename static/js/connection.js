/**
 * The socket, and another one when it breaks: after waits that grow, so that a server that comes back is not run down.
 * The session goes on over it where the server still has it; what is said meanwhile is kept.
 */

import { Refusal } from "./api.js";
import { decodeChunk, decodeEvent, subprotocols } from "./protocol.js";
import { Resumption } from "./resumption.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Before the first try to come back to a session, in the middle of a sentence: less than the sound that is here. */
const BACK_MS = 100;

/** Between two tries while the session is still there, which is for half a minute. */
const LONGEST_BACK_MS = 3_000;

/** A socket that was not greeted over by then is given up: browsers wait for minutes. */
const GREETING_MS = 10_000;

/** Nobody waits any longer for why a handshake has failed. */
const ROOM_MS = 4_000;

/** A session that lived this long was no failed attempt: the waits begin anew. */
const STEADY_MS = 5_000;

/**
 * connecting: a socket is being opened. open: the server has greeted. waiting: for the next try, at `retryAt`.
 * closed: nobody tries, until `connect` is called.
 *
 * @typedef {"connecting" | "open" | "waiting" | "closed"} Status
 */

export class Connection {
  /**
   * @param {string} url
   * @param {import("./api.js").Api} api where the server tells whether it has room for a session
   */
  constructor(url, api) {
    this.url = url;
    this.api = api;
    /** @type {Status} */
    this.status = "closed";
    this.retryAt = 0;
    /** @type {(event: import("./protocol.js").Message) => void} */
    this.onevent = () => {};
    /** @type {(chunk: import("./protocol.js").Chunk) => void} */
    this.onchunk = () => {};
    this.onchange = () => {};
    /** The session that was open is over: it ended, or nobody could come back to it in time. */
    this.onlost = () => {};
    /** Who waits for the server's greeting. @type {((isOpen: boolean) => void)[]} */
    this.reaching = [];
    /** @type {WebSocket | null} */
    this.socket = null;
    this.resumption = new Resumption();
    this.wait = FIRST_WAIT_MS;
    /** When the server greeted; infinity while it has not, or where the time says nothing. */
    this.openedAt = Infinity;
    /** @type {number | undefined} */
    this.timer = undefined;
    addEventListener("online", () => this.status === "waiting" && this.open());
  }

  /** Opens a socket now, in the place of whatever there is, for another session. */
  connect() {
    this.abandon();
    this.open();
  }

  /** @private */
  open() {
    clearTimeout(this.timer);
    this.set("connecting");
    const socket = new WebSocket(this.url, subprotocols(this.api.token(), this.resumption.offer));
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.take(data);
    socket.onclose = () => this.refused(socket);
    socket.onopen = () => {
      socket.onclose = (event) => this.lost(event?.wasClean);
    };
    this.socket = socket;
    this.timer = setTimeout(() => {
      mute(socket);
      // No goodbye: the session may still be there.
      socket.close(4000);
      this.lost();
    }, GREETING_MS);
  }

  /**
   * Makes sure of a session: one that was ended is opened again, one that is being opened is waited for.
   *
   * @returns {Promise<boolean>} whether there is one
   */
  async reach() {
    if (this.status === "closed") this.connect();
    if (this.status === "connecting") return new Promise((resolve) => this.reaching.push(resolve));
    return this.status === "open";
  }

  /** Ends the session and stays without one. */
  close() {
    this.abandon();
    this.set("closed");
  }

  /**
   * Tries again after `seconds`, whatever the usual wait would be; the socket is about to close.
   *
   * @param {number} seconds
   */
  retryAfter(seconds) {
    this.wait = seconds * 1000;
    this.openedAt = Infinity;
  }

  /** The server says that it would be no use to come back: the next close is the last. */
  giveUp() {
    this.wait = Infinity;
    this.openedAt = Infinity;
  }

  /** @param {object} message */
  say(message) {
    this.send(JSON.stringify(message));
  }

  /** @param {string | ArrayBuffer} data a message, or a piece of sound */
  send(data) {
    if (this.status !== "open" && !this.resumption.name) return;
    this.resumption.keep(data);
    if (this.status === "open") this.socket?.send(data);
  }

  /**
   * @private
   * @param {string | ArrayBuffer} data
   */
  take(data) {
    if (typeof data !== "string") {
      this.resumption.seq += 1;
      const chunk = decodeChunk(data);
      if (chunk) this.onchunk(chunk);
      return;
    }
    const event = decodeEvent(data);
    if (event?.type === "session") this.greet(/** @type {any} */ (event));
    if (event?.seq) this.resumption.seq = event.seq;
    if (event) this.onevent(event);
  }

  /**
   * The handshake failed, and a browser does not tell why. If it was for want of room, that is heard as in a session.
   *
   * @private
   * @param {WebSocket} socket
   */
  async refused(socket) {
    // Whoever comes back to a session needs no room.
    const error = this.resumption.outlives(performance.now()) ? null : await this.busy();
    // Meanwhile another one may have been asked for.
    if (this.socket !== socket) return;
    if (error) this.onevent({ type: "error", ...error });
    this.lost();
  }

  /**
   * Why the server has no room for a session, as it would say it over the socket; null where it has, or nobody knows.
   *
   * @private
   */
  async busy() {
    try {
      await this.api.ask("room", { signal: AbortSignal.timeout(ROOM_MS) });
    } catch (error) {
      if (!(error instanceof Refusal && error.code === "SERVER_BUSY")) return null;
      return { code: error.code, message: error.message, recoverable: false, retry_after_s: error.retryAfterS };
    }
    return null;
  }

  /**
   * @private
   * @param {{resumed?: boolean, received?: number}} greeting
   */
  greet(greeting) {
    clearTimeout(this.timer);
    this.openedAt = performance.now();
    if (greeting.resumed) {
      this.resumption.lostAt = Infinity;
      for (const data of this.resumption.lacking(greeting.received ?? 0)) this.socket?.send(data);
    } else {
      if (this.resumption.name) this.onlost();
      this.resumption = new Resumption(greeting);
    }
    // Code that waited goes on only after the greeting was dealt with: a promise's reaction comes after `take`.
    this.set("open");
  }

  /**
   * @private
   * @param {boolean} [isEnd] the server has ended the session
   */
  lost(isEnd) {
    clearTimeout(this.timer);
    this.socket = null;
    const now = performance.now();
    const isOver = isEnd || this.wait === Infinity || !this.resumption.outlives(now);
    if (now - this.openedAt > STEADY_MS) this.wait = FIRST_WAIT_MS;
    const wait = isOver ? this.wait : this.wait > FIRST_WAIT_MS ? Math.min(this.wait, LONGEST_BACK_MS) : BACK_MS;
    if (wait === Infinity) {
      this.wait = FIRST_WAIT_MS;
      this.set("closed");
    } else {
      // A little chance, so that all pages of a server that was restarted do not come at the same moment.
      const chosen = wait * (1 + 0.2 * Math.random());
      this.retryAt = now + chosen;
      this.timer = setTimeout(() => this.open(), chosen);
      this.wait = Math.min(Math.max(wait, FIRST_WAIT_MS) * 2, LONGEST_WAIT_MS);
      this.set("waiting");
    }
    this.openedAt = Infinity;
    if (isOver) this.end();
  }

  /** @private */
  abandon() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    if (socket) mute(socket);
    socket?.close(1000);
    if (socket || this.resumption.name) this.end();
  }

  /** @private */
  end() {
    this.resumption = new Resumption();
    this.onlost();
  }

  /**
   * @private
   * @param {Status} status
   */
  set(status) {
    this.status = status;
    if (status !== "connecting") for (const settle of this.reaching.splice(0)) settle(status === "open");
    this.onchange();
  }
}

/** @param {WebSocket} socket of which nothing is to be heard any more */
function mute(socket) {
  socket.onopen = socket.onmessage = socket.onclose = null;
}
