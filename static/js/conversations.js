/**
 * Which conversations this browser has opened, which of them this tab has open, and how they are told of.
 */

import { keep, recall } from "./kept.js";

/** As many as one request may name. */
export const MOST_KEPT = 200;

/** @typedef {{id: string, title: string, began_at: number, last_at: number, turns: number}} Summary */

/**
 * The ids of the conversations of one server, that which was opened last first, and the one that is open. Two tabs
 * cannot go on with one at once.
 */
export class Opened {
  /** Lets another tab have what this one has open. @private */
  letGo = () => {};
  /** The one that this tab has open. @type {string | null} */
  held = null;

  /** @param {string} name under which they are kept */
  constructor(name) {
    this.name = name;
  }

  get ids() {
    return this.load().ids;
  }

  /** The one to go on with when the page is loaded anew. @returns {string | null} */
  get current() {
    return this.load().current;
  }

  /** The one that this tab had open when it was loaded anew. @returns {string | null} */
  get left() {
    return recall(this.name, "sessionStorage");
  }

  /** @param {string | null} id of the one that is open; null: a new one of which nothing is known yet */
  open(id) {
    const { ids } = this.load();
    keep(this.name, { ids: id ? [id, ...ids.filter((one) => one !== id)].slice(0, MOST_KEPT) : ids, current: id });
    this.hold(id);
  }

  /**
   * @private
   * @param {string | null} id of the one that this tab has open from now on
   */
  hold(id) {
    keep(this.name, id, "sessionStorage");
    if (id === this.held) return;
    this.letGo();
    this.letGo = () => {};
    this.held = id;
    if (!id || !globalThis.navigator?.locks) return;
    // The browser gives it back when the tab is gone, however that comes.
    const until = new Promise((resolve) => (this.letGo = () => resolve(null)));
    navigator.locks.request(`${this.name} ${id}`, () => until).catch(() => {});
  }

  /**
   * @param {string} id
   * @returns {Promise<boolean>} whether another tab has it; false where the browser does not tell
   */
  async isElsewhere(id) {
    const locks = await globalThis.navigator?.locks?.query();
    return Boolean(locks?.held?.some(({ name }) => name === `${this.name} ${id}`));
  }

  /** @param {string} id */
  forget(id) {
    const { ids, current } = this.load();
    keep(this.name, { ids: ids.filter((one) => one !== id), current: current === id ? null : current });
    if (id === (this.held ?? this.left)) this.hold(null);
  }

  /**
   * Another tab may have written since.
   *
   * @private
   * @returns {{ids: string[], current: string | null}}
   */
  load() {
    const { ids, current } = recall(this.name) ?? {};
    const known = Array.isArray(ids) ? ids.filter((one) => typeof one === "string").slice(0, MOST_KEPT) : [];
    return { ids: known, current: typeof current === "string" ? current : null };
  }
}

/** Where `Opened` keeps those of the server at `base`. @param {string} base */
export function placeOf(base) {
  return `voice_trio.conversations${new URL(".", base).pathname}`;
}

/**
 * The longest that each unit is good for, in seconds, and how many seconds it has.
 *
 * @type {[number, number, Intl.RelativeTimeFormatUnit][]}
 */
const UNITS = [
  [60 * 60, 60, "minute"],
  [24 * 60 * 60, 60 * 60, "hour"],
  [7 * 24 * 60 * 60, 24 * 60 * 60, "day"],
];

/**
 * When something was, as people say it.
 *
 * @param {number} at seconds since 1970
 * @param {number} now
 * @param {string} [locale]
 */
export function agoOf(at, now, locale = "en") {
  const passed = Math.max(0, now - at);
  if (passed < 60) return "just now";
  for (const [most, seconds, unit] of UNITS) {
    if (passed < most) {
      return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-Math.floor(passed / seconds), unit);
    }
  }
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(at * 1000);
}

/** @param {Summary} summary */
export function titleOf({ title }) {
  return title || "Without words";
}

/** @param {number} turns */
export function turnsOf(turns) {
  return turns === 1 ? "1 turn" : `${turns} turns`;
}
