/** What it takes to come back to a session whose connection is lost, as docs/protocol.md says. Pure. */

/** What is kept in case that it did not arrive: the longest utterance, in packets of 20 ms or as it is. */
const MOST_KEPT = 1500;
const MOST_BYTES = 960_000;

export class Resumption {
  /** @param {{resume?: string, resume_s?: number}} [greeting] of the session; without one there is none */
  constructor({ resume = "", resume_s = 0 } = {}) {
    /** By this name the session is known; empty where it ends with its connection. */
    this.name = resume;
    this.waitsMs = resume_s * 1000;
    /** How many messages came. */
    this.seq = 0;
    /** How many were sent. */
    this.said = 0;
    /** The latest of them. @type {(string | ArrayBuffer)[]} */
    this.kept = [];
    this.bytes = 0;
    /** Since when there is no connection, on the page's clock. */
    this.lostAt = Infinity;
  }

  /** What a connection offers to begin a session, or to go on with this one. */
  get offer() {
    return this.name ? `resume.${this.seq}.${this.name}` : "resume";
  }

  /**
   * The connection is lost.
   *
   * @param {number} now
   * @returns {boolean} whether the server still has the session, if it runs
   */
  outlives(now) {
    this.lostAt = Math.min(this.lostAt, now);
    return this.name !== "" && now - this.lostAt <= this.waitsMs;
  }

  /** @param {string | ArrayBuffer} message that is sent, or would be */
  keep(message) {
    this.said += 1;
    this.kept.push(message);
    this.bytes += bytesOf(message);
    while (this.kept.length > MOST_KEPT || this.bytes > MOST_BYTES) this.bytes -= bytesOf(this.kept.shift() ?? "");
  }

  /** What the server lacks of what was sent. @param {number} received so many it has */
  lacking(received) {
    const lacking = this.kept.slice(Math.max(0, this.kept.length - this.said + received));
    // It never counts what it will not get: or the next time it would be sent again what it has.
    this.said = received + lacking.length;
    return lacking;
  }
}

/** @param {string | ArrayBuffer} message */
function bytesOf(message) {
  return typeof message === "string" ? 0 : message.byteLength;
}
