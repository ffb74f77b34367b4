/** A button that puts a text on the clipboard, and says what came of it. */

import { make, setText } from "./dom.js";

/** @typedef {(text: string) => Promise<boolean>} Copy puts a text on the clipboard, and returns whether it did */

/** How long it says so. */
const SAID_MS = 1500;

/**
 * @param {() => string} text
 * @param {string} name for those who hear the page; it begins with "Copy"
 * @param {Copy} copy
 */
export function copyButton(text, name, copy) {
  const button = make("button", { class: "quiet", type: "button", onclick: press });
  /** @param {string} word @param {string} spoken */
  const show = (word, spoken = word) => {
    setText(button, word);
    button.setAttribute("aria-label", spoken);
  };
  async function press() {
    show((await copy(text())) ? "Copied" : "Not copied");
    setTimeout(show, SAID_MS, "Copy", name);
  }
  show("Copy", name);
  return button;
}
