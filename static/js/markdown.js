/**
 * An answer as Markdown, while it is being written: its blocks, and for each piece of their text the place in the
 * answer that it came from, so that the word that is spoken can be found in it. Pure.
 */

import { fromMarkdown } from "../vendor/from-markdown.js";

/**
 * A node as mdast describes it (https://github.com/syntax-tree/mdast), with places in the whole answer, in UTF-16
 * units. `places` of one with text of its own are those of its letters, and of its end.
 *
 * @typedef {{
 *   type: string,
 *   start: number,
 *   end: number,
 *   children: Node[],
 *   value?: string,
 *   places?: number[],
 *   url?: string,
 *   ordered?: boolean,
 *   spread?: boolean,
 *   first?: number,
 *   lang?: string,
 *   depth?: number,
 * }} Node
 */

/** Kinds whose text is taken as it stands. */
const TEXTS = new Set(["text", "inlineCode", "code", "html", "image", "imageReference"]);

/** CommonMark's: &CounterClockwiseContourIntegral; and its signs. */
const LONGEST_ENTITY = 33;

/** Addresses that a link may lead to. */
const SAFE = /^(https?:|mailto:)/i;

export class Markdown {
  /** All of the answer that was read. */
  text = "";
  /** @type {Node[]} */
  blocks = [];

  /**
   * Reads an answer. What follows a block may still change it, and the one before it, but none further up: those are
   * not read again.
   *
   * @param {string} text
   * @returns {Node[]} its blocks; one that has not changed is the same object as before
   */
  read(text) {
    if (text === this.text) return this.blocks;
    const settled = text.startsWith(this.text) ? this.blocks.slice(0, -2) : [];
    const from = settled.length ? this.blocks[settled.length].start : 0;
    const fresh = fromMarkdown(text.slice(from)).children.map((/** @type {any} */ one) => nodeOf(one, text, from));
    const before = this.blocks.slice(settled.length);
    const changed = fresh.findIndex((one, i) => !isSame(one, before[i], text, this.text));
    const same = before.slice(0, changed < 0 ? fresh.length : changed);
    this.blocks = [...settled, ...same, ...fresh.slice(same.length)];
    this.text = text;
    return this.blocks;
  }
}

/**
 * @param {Node} node
 * @param {Node | undefined} before
 * @param {string} text
 * @param {string} textBefore
 */
function isSame(node, before, text, textBefore) {
  if (before?.start !== node.start || before.end !== node.end || before.type !== node.type) return false;
  return text.slice(node.start, node.end) === textBefore.slice(before.start, before.end);
}

/**
 * @param {any} node of mdast
 * @param {string} text of the whole answer
 * @param {number} from where in it the node's own places begin
 * @returns {Node}
 */
function nodeOf(node, text, from) {
  const start = from + node.position.start.offset;
  const end = from + node.position.end.offset;
  /** @type {Node[]} */
  const children = (node.children ?? []).map((/** @type {any} */ one) => nodeOf(one, text, from));
  /** @type {Node} */
  const made = { type: node.type, start, end, children };
  if (TEXTS.has(node.type)) {
    made.value = node.value ?? node.alt ?? "";
    made.places = placesOf(text, bodyOf(node, text, start), end, made.value ?? "");
  }
  if (SAFE.test(node.url ?? "")) made.url = node.url;
  const { ordered, spread, start: first, lang, depth } = node;
  return Object.assign(made, { ordered, spread, first, lang, depth });
}

/**
 * Where the text of a node begins: behind the line that opens a block of code, if there is one.
 *
 * @param {any} node
 * @param {string} text
 * @param {number} start
 */
function bodyOf(node, text, start) {
  if (node.type !== "code" || !/^(```|~~~)/.test(text.slice(start))) return start;
  const line = text.indexOf("\n", start);
  return line < 0 ? start : line + 1;
}

/**
 * Where each letter of a value stands in the text that it was read from: signs that are no part of the value, such as a
 * backslash or the marks before a quoted line, are stepped over, and what an entity stands for stands where that does.
 *
 * @param {string} text
 * @param {number} start of the place in the text that the value was read from
 * @param {number} end of it
 * @param {string} value
 * @returns {number[]} one more than the value has letters; they rise
 */
export function placesOf(text, start, end, value) {
  const places = [];
  let at = start;
  for (let i = 0; i < value.length; i += 1) {
    const entity = /^&[#\w]+;/.exec(text.slice(at, Math.min(end, at + LONGEST_ENTITY)))?.[0];
    const isDecoded = entity !== undefined && !value.startsWith(entity, i);
    const found = isDecoded ? at : text.indexOf(value[i], at);
    if (found >= 0 && found < end) at = found;
    places.push(at);
    if (found >= 0 && found < end) at += isDecoded ? entity.length : 1;
  }
  places.push(Math.max(at, end));
  return places;
}
