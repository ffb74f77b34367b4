/** What the person should know: troubles stay until they are mended, notes until they are put away. */

import { byId, make } from "./dom.js";

export class NoticesView {
  /** The first is announced at once, the second when there is a pause. */
  places = { trouble: byId("troubles"), note: byId("notes") };
  /** @type {Map<string, HTMLElement>} */
  shown = new Map();

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
