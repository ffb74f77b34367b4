/** A line that says what was just done, and takes it back for as long as it is there. */

import { byId, setText } from "./dom.js";

/** So long it is there, and longer while somebody points at it. */
const SHOWN_MS = 8_000;

/**
 * What is done where it is taken back, and where it is not.
 *
 * @typedef {{text: string, undo: () => void, gone?: () => void}} Undoable
 */

export class UndoView {
  constructor() {
    this.element = byId("undo");
    this.words = byId("undo-words");
    /** @type {Undoable | null} */
    this.shown = null;
    /** @type {number | undefined} */
    this.timer = undefined;
    byId("undo-button").addEventListener("click", () => {
      const { shown } = this;
      this.hide();
      shown?.undo();
    });
    const { element } = this;
    for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, () => clearTimeout(this.timer));
    for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, () => this.wait());
    // It stays in sight where the dialog closes that it is in.
    addEventListener("close", ({ target }) => target === element.parentNode && document.body.append(element), true);
    // Whoever leaves the page will not take it back.
    addEventListener("pagehide", () => this.settle());
  }

  /** @param {Undoable} done */
  show(done) {
    this.settle();
    this.shown = done;
    // A modal dialog lets nothing be pressed that is not in it.
    (document.querySelector("dialog[open]") ?? document.body).append(this.element);
    this.element.hidden = false;
    setText(this.words, done.text);
    this.wait();
  }

  /** Takes it for granted from now on. */
  settle() {
    const { shown } = this;
    this.hide();
    shown?.gone?.();
  }

  /** @private */
  wait() {
    clearTimeout(this.timer);
    if (this.shown) this.timer = setTimeout(() => this.settle(), SHOWN_MS);
  }

  /** @private */
  hide() {
    clearTimeout(this.timer);
    this.shown = null;
    this.element.hidden = true;
    setText(this.words, "");
  }
}
