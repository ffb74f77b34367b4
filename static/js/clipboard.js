/** The clipboard, and a button that puts a text there. */

import { make, setText } from "./dom.js";

/** How long the button says what came of it. */
const SAID_MS = 1500;

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is on the clipboard
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain HTTP there is no clipboard but the old one.
    const area = make("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

/**
 * @param {() => string} text
 * @param {string} name for those who hear the page; it begins with "Copy"
 */
export function copyButton(text, name) {
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
