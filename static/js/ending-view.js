/** How a turn ended, where that was not as it should: why, what of the answer was not heard, and another try. */

import { make, showLine } from "./dom.js";

/** @typedef {import("./turn.js").Turn} Turn */

/** @type {Record<string, string>} */
const CAPTIONS = { cancelled: "Stopped.", interrupted: "Interrupted.", lost: "The connection broke off here." };

export class EndingView {
  /**
   * @param {HTMLElement} reply is folded, so that what was not heard is out of sight, or not
   * @param {(turn: Turn) => void} retry
   */
  constructor(reply, retry) {
    /** @type {Turn | null} */
    this.turn = null;
    this.caption = make("p", { class: "caption" });
    const unfold = () => {
      const isFolded = this.unheard.getAttribute("aria-expanded") === "true";
      this.unheard.setAttribute("aria-expanded", String(!isFolded));
      reply.classList.toggle("folded", isFolded);
    };
    const unheard = { class: "quiet unheard", type: "button", "aria-expanded": "false", onclick: unfold };
    this.unheard = make("button", unheard, "Not heard");
    const again = () => this.turn && retry(this.turn);
    this.retry = make("button", { class: "retry", type: "button", onclick: again }, "Try again");
    this.element = make("div", { class: "ending", hidden: true }, this.caption, this.unheard, this.retry);
  }

  /** @param {Turn} turn */
  show(turn) {
    this.turn = turn;
    const { hasFailed } = turn;
    const isCut = turn.isOver && turn.unheard.trim() !== "";
    const text = captionOf(turn, isCut);
    showLine(this.caption, text);
    this.unheard.hidden = !isCut;
    this.retry.hidden = !hasFailed || !turn.said;
    this.element.classList.toggle("failure", hasFailed);
    this.element.hidden = !text && !isCut;
  }
}

/**
 * @param {Turn} turn
 * @param {boolean} isCut
 */
function captionOf(turn, isCut) {
  const parts = turn.troubles.map((trouble) => `${trouble.title} ${trouble.text}`.trim());
  if (turn.outcome && (isCut || turn.outcome === "lost")) parts.unshift(CAPTIONS[turn.outcome] ?? "");
  else if (turn.outcome === "cancelled" && !turn.reply) parts.unshift("Stopped before an answer.");
  return parts.filter(Boolean).join(" ") || (turn.hasFailed ? "There is no answer." : "");
}
