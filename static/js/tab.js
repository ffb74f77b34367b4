/** Which conversation this tab of the browser has open, and whether another has it: two cannot go on with one at once. */

import { keep, recall } from "./kept.js";

export class Tab {
  /** @param {string} name of the place where conversations of this server are kept */
  constructor(name) {
    this.name = name;
    this.letGo = () => {};
    /** The one that is held. @type {string | null} */
    this.held = null;
  }

  /** The one that this tab had open when it was loaded anew. @returns {string | null} */
  get left() {
    return recall(this.name, "sessionStorage");
  }

  /** @param {string | null} id of the one that is open now; null: none that another tab could want */
  open(id) {
    keep(this.name, id, "sessionStorage");
    if (id === this.held) return;
    this.letGo();
    this.letGo = () => {};
    this.held = id;
    if (!id || !navigator.locks) return;
    // The browser gives it back when the tab is gone, however that comes.
    const until = new Promise((resolve) => (this.letGo = () => resolve(null)));
    navigator.locks.request(this.lockOf(id), () => until).catch(() => {});
  }

  /**
   * @param {string} id
   * @returns {Promise<boolean>} whether another tab has it; false where the browser does not tell
   */
  async isElsewhere(id) {
    if (!navigator.locks) return false;
    const { held } = await navigator.locks.query();
    return Boolean(held?.some((lock) => lock.name === this.lockOf(id)));
  }

  /**
   * @private
   * @param {string} id
   */
  lockOf(id) {
    return `${this.name} ${id}`;
  }
}
