/** Markdown as elements: made one by one of what was read, so that nothing in an answer can be more than text. */

import { copyButton } from "./clipboard.js";
import { make } from "./dom.js";

/** @typedef {import("./markdown.js").Node} Node */

/**
 * A piece of an answer's own text, and an element that has a place in it.
 *
 * @typedef {{element: HTMLElement, value: string, places: number[]}} Leaf
 * @typedef {{element: HTMLElement, start: number}} Box
 */

/** @type {Record<string, keyof HTMLElementTagNameMap>} */
const TAGS = {
  ...{ blockquote: "blockquote", break: "br", emphasis: "em", inlineCode: "code", listItem: "li" },
  ...{ paragraph: "p", strong: "strong", thematicBreak: "hr" },
};

/** Kinds that take no room by themselves. */
const INLINE = new Set(["strong", "emphasis", "link", "linkReference"]);

export class MarkdownView {
  /** @type {Leaf[]} */
  leaves = [];
  /** What takes room by itself: a paragraph, an item's dot, a frame. @type {Box[]} */
  boxes = [];

  /**
   * @param {Node} node
   * @returns {HTMLElement}
   */
  make(node) {
    if (node.type === "definition") return make("span");
    if (node.type === "code") return this.code(node);
    if (node.value !== undefined) return this.leaf(node, make(TAGS[node.type] ?? "span"));
    const element = this.around(node);
    element.append(...this.children(node).map((one) => this.make(one)));
    if (!INLINE.has(node.type)) this.boxes.push({ element, start: node.start });
    return element;
  }

  /**
   * @private
   * @param {Node} node
   */
  around({ type, depth = 1, first, ordered, url }) {
    // The page's own headings go as far as the third.
    if (type === "heading") return make(/** @type {"h4"} */ (`h${Math.min(6, 3 + depth)}`));
    if (type === "list") return ordered ? make("ol", { start: first ?? null }) : make("ul");
    if (type !== "link" || !url) return make(TAGS[type] ?? "span");
    return make("a", { href: url, target: "_blank", rel: "noopener noreferrer" });
  }

  /**
   * A list whose items are lines has no paragraphs in them.
   *
   * @private
   * @param {Node} node
   */
  children({ type, spread, children }) {
    if (type !== "listItem" || spread) return children;
    return children.flatMap((one) => (one.type === "paragraph" ? one.children : [one]));
  }

  /**
   * @private
   * @param {Node} node
   */
  code(node) {
    const button = copyButton(() => node.value ?? "", "Copy the code");
    const top = make("div", { class: "listing-top" }, make("span", {}, node.lang ?? ""), button);
    const code = this.leaf(node, make("code"));
    const text = make("pre", { tabindex: 0, role: "region", "aria-label": "Code" }, code);
    const element = make("div", { class: "listing" }, top, text);
    this.boxes.push({ element, start: node.start });
    return element;
  }

  /**
   * @private
   * @param {Node} node
   * @param {HTMLElement} element
   */
  leaf({ value = "", places = [] }, element) {
    this.leaves.push({ element, value, places });
    return element;
  }
}
