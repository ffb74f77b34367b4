/** What the person should know: troubles stay until they are mended, notes until they are put away. */

import { make } from "./dom.js";

export class NoticesView {
  /**
   * @param {HTMLElement} troubles is announced at once
   * @param {HTMLElement} notes is announced when there is a pause
   */
  constructor(troubles, notes) {
    this.places = { trouble: troubles, note: notes };
    /** @type {Map<string, HTMLElement>} */
    this.shown = new Map();
  }

  /**
   * @param {string} id a later notice with it takes this one's place
   * @param {import("./trouble.js").Trouble | null} trouble null: it is mended
   * @param {"trouble" | "note"} [kind]
   */
  show(id, trouble, kind = "trouble") {
    const before = this.shown.get(id);
    before?.remove();
    this.shown.delete(id);
    if (!trouble) return;
    const element = make("div", `notice ${kind}`);
    const words = make("p", "");
    words.append(make("strong", "", trouble.title), ` ${trouble.text}`);
    const close = make("button", "quiet close", "×");
    close.setAttribute("type", "button");
    close.setAttribute("aria-label", `Put away: ${trouble.title}`);
    close.addEventListener("click", () => element.remove());
    element.append(words, close);
    this.places[kind].append(element);
    this.shown.set(id, element);
  }
}
