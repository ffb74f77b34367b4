/** An answer's words: what was heard, what is being said, what is still to come; what never will be is folded away. */

import { make, setText, showEach } from "./dom.js";
import { Markdown } from "./markdown.js";
import { MarkdownView } from "./markdown-view.js";

/** @typedef {import("./turn.js").Segment} Segment */
/** @typedef {import("./markdown.js").Node} Node */
/** @typedef {{kind: Segment["kind"], start: number, end: number}} Stretch a segment's place, in UTF-16 units */

/** A paragraph of more letters takes so long to read that not each of its words is waited for. */
const LONG = 3000;
const LONG_MS = 250;

export class ReplyView {
  element = make("div", { class: "words folded" });
  markdown = new Markdown();
  /** When the answer may be read again, on the page's clock. */
  againAt = 0;
  /** What each block was made of. @type {Map<Node, {element: HTMLElement, view: MarkdownView}>} */
  made = new Map();

  /**
   * @param {Segment[]} segments
   * @param {boolean} isWhole whether no more of the answer comes
   */
  show(segments, isWhole) {
    this.element.classList.toggle("pending", !segments.length);
    this.read(segments.map(({ text }) => text).join(""), isWhole);
    let end = 0;
    const stretches = segments.map(({ kind, text }) => ({ kind, start: end, end: (end += text.length) }));
    const cut = stretches.find(({ kind }) => kind === "lost")?.start ?? Infinity;
    for (const { view } of this.made.values()) {
      for (const leaf of view.leaves) showLeaf(leaf, stretches);
      for (const { element, start } of view.boxes) element.classList.toggle("beyond", start >= cut);
    }
  }

  /**
   * @private
   * @param {string} text
   * @param {boolean} isWhole
   */
  read(text, isWhole) {
    const now = performance.now();
    if (text === this.markdown.text || (!isWhole && now < this.againAt)) return;
    const last = this.markdown.blocks.at(-1)?.start ?? 0;
    this.againAt = text.length - last > LONG ? now + LONG_MS : 0;
    const blocks = this.markdown.read(text);
    showEach(this.element, this.made, blocks, (node) => {
      const view = new MarkdownView();
      return { element: view.make(node), view };
    });
  }
}

/**
 * @param {import("./markdown-view.js").Leaf} leaf
 * @param {Stretch[]} stretches
 */
function showLeaf({ element, value, places }, stretches) {
  let at = 0;
  const pieces = stretches.flatMap(({ kind, end }) => {
    const from = at;
    while (at < value.length && places[at] < end) at += 1;
    return at > from ? [{ kind, text: value.slice(from, at) }] : [];
  });
  pieces.forEach(({ kind, text }, i) => {
    const span = element.children[i] ?? element.appendChild(make("span"));
    if (span.className !== kind) span.className = kind;
    setText(span, text);
  });
  while (element.children.length > pieces.length) element.lastElementChild?.remove();
}
