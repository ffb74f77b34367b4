/** How a turn ended, where that was not as it should: why, what of the answer was not heard, and another try. */

import { make, setText } from "./dom.js";

/** @typedef {import("./turn.js").Turn} Turn */

/** @type {Record<string, string>} */
const CAPTIONS = { cancelled: "Stopped.", interrupted: "Interrupted.", lost: "The connection broke off here." };

export class EndingView {
  /** @param {{fold: (isFolded: boolean) => void, retry: (turn: Turn) => void}} actions */
  constructor({ fold, retry }) {
    /** @type {Turn | null} */
    this.turn = null;
    this.element = make("div", "ending");
    this.element.hidden = true;
    this.caption = make("p", "caption");
    this.unheard = make("button", "quiet unheard", "Not heard");
    this.unheard.setAttribute("type", "button");
    this.unheard.setAttribute("aria-expanded", "false");
    this.unheard.addEventListener("click", () => {
      const isFolded = this.unheard.getAttribute("aria-expanded") === "true";
      this.unheard.setAttribute("aria-expanded", String(!isFolded));
      fold(isFolded);
    });
    this.retry = make("button", "retry", "Try again");
    this.retry.setAttribute("type", "button");
    this.retry.addEventListener("click", () => this.turn && retry(this.turn));
    this.element.append(this.caption, this.unheard, this.retry);
  }

  /** @param {Turn} turn */
  show(turn) {
    this.turn = turn;
    const { hasFailed } = turn;
    const isCut = turn.isOver && turn.unheard.trim() !== "";
    const text = captionOf(turn, isCut);
    setText(this.caption, text);
    this.caption.hidden = !text;
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
