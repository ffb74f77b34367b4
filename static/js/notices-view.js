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
    this.shown.get(id)?.remove();
    this.shown.delete(id);
    if (!trouble) return;
    const words = make("p", {}, make("strong", {}, trouble.title), ` ${trouble.text}`);
    const label = `Put away: ${trouble.title}`;
    const putAway = () => element.remove();
    const close = make("button", { class: "quiet close", type: "button", "aria-label": label, onclick: putAway }, "×");
    const element = make("div", { class: `notice ${kind}` }, words, close);
    this.places[kind].append(element);
    this.shown.set(id, element);
  }
}
