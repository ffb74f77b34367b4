/**
 * A turn that the server cannot take yet: it is asked for again once it is over, since a session has one turn at a time,
 * and once the time has passed that the server named. Knows no server: the part that asks for the turn listens to `onagain`.
 */

/** @typedef {import("./turn.js").Turn} Turn */

export class Postponed {
  /** The turn that waits, or null. @type {Turn | null} */
  turn = null;
  afterS = 0;
  /** @type {number | undefined} */
  timer = undefined;
  /** It is time to ask for the turn again. @type {(turn: Turn) => void} */
  onagain = () => {};

  /**
   * @param {Turn} turn has begun at the server, and will end there without having done anything
   * @param {number} afterS seconds from its end until it is asked for again
   */
  postpone(turn, afterS) {
    this.turn = turn;
    this.afterS = afterS;
  }

  /**
   * A turn is over at the server.
   *
   * @param {Turn} turn
   * @returns {boolean} whether it is the one that is asked for again
   */
  end(turn) {
    if (turn !== this.turn) return false;
    this.timer = setTimeout(() => {
      this.turn = null;
      this.onagain(turn);
    }, this.afterS * 1000);
    return true;
  }

  /**
   * Nobody asks for it again.
   *
   * @returns {Turn | null} the turn that waited
   */
  giveUp() {
    clearTimeout(this.timer);
    const { turn } = this;
    this.turn = null;
    return turn;
  }
}
