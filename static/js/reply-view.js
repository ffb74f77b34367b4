/** An answer's words: what was heard, what is being said, what is still to come; what never will be is folded away. */

import { make, setText } from "./dom.js";

/** @typedef {import("./turn.js").Segment} Segment */

export class ReplyView {
  constructor() {
    this.element = make("p", "words folded");
  }

  /** @param {Segment[]} segments */
  show(segments) {
    this.element.classList.toggle("pending", !segments.length);
    segments.forEach((segment, i) => {
      let span = this.element.children[i];
      if (!span) {
        span = make("span", "");
        this.element.append(span);
      }
      if (span.className !== segment.kind) span.className = segment.kind;
      setText(span, segment.text);
    });
    while (this.element.children.length > segments.length) this.element.lastElementChild?.remove();
  }

  /** @param {boolean} isFolded whether what was not heard is out of sight */
  fold(isFolded) {
    this.element.classList.toggle("folded", isFolded);
  }
}
