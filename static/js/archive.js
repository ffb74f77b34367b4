/**
 * The conversations that the server remembers: which there are, and what is done to them. What is removed is off the
 * list, and deleted when that is asked for, so that it can be taken back. Knows no element of the page.
 */

import { Refusal } from "./api.js";
import { Turn } from "./turn.js";

/** @typedef {import("./conversations.js").Summary} Summary */

/** Of one conversation: what is older is not shown. */
const MOST_TURNS = 500;

const LOOKUP = "conversations/lookup";

/** A session of ours that was just ended may have it still. */
const TRIES = 8;
const AGAIN_MS = 500;

export class Archive {
  /** @type {Summary[]} */
  shown = [];
  /** What the next page begins before; null: there is none. @type {string | null} */
  before = null;
  isLoading = false;
  /** Why the list is not there, in a sentence. */
  trouble = "";
  query = "";
  /** Those that will be deleted, by their ids. @type {Set<string>} */
  leaving = new Set();
  /** Which request is the latest. */
  asked = 0;
  onchange = () => {};

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./conversations.js").Opened} opened
   */
  constructor(api, opened) {
    this.api = api;
    this.opened = opened;
  }

  /** Loads the list anew. @param {string} [query] words that they are to have */
  async load(query = this.query) {
    this.query = query;
    await this.fetch(null);
  }

  /** Loads what is older than what is shown. */
  async more() {
    if (this.before && !this.isLoading) await this.fetch(this.before);
  }

  /**
   * The latest turns that are remembered of a conversation, oldest first, or null where there are none.
   *
   * @param {string} id
   * @returns {Promise<Turn[] | null>} throws `Refusal`, and what `fetch` throws
   */
  async turns(id) {
    // A question that has an answer in any case: a browser's console makes a fault of a page that is not there.
    const { conversations } = await this.api.read(LOOKUP, { method: "POST", json: { ids: [id] } });
    if (!conversations.length) return null;
    /** @type {Turn[]} */
    const turns = [];
    let older = "";
    do {
      const told = await this.api.read(pathOf(id) + older);
      turns.unshift(...told.turns.map(turnOf));
      older = told.before ? `?before=${told.before}` : "";
    } while (older && turns.length < MOST_TURNS);
    return turns;
  }

  /**
   * @param {string} id
   * @param {string} title
   */
  async rename(id, title) {
    const told = await this.api.read(pathOf(id), { method: "PATCH", json: { title } });
    for (const one of this.shown) if (one.id === id) one.title = told.title;
    this.onchange();
  }

  /** Takes a conversation off the list, until it is put back or deleted. @param {Summary} summary */
  remove({ id }) {
    this.leaving.add(id);
    this.shown = this.shown.filter((one) => one.id !== id);
    this.onchange();
  }

  /** @param {Summary} summary of one that was removed */
  putBack(summary) {
    this.leaving.delete(summary.id);
    this.shown = [...this.shown.filter((one) => one.id !== summary.id), summary];
    this.shown.sort((one, other) => other.last_at - one.last_at);
    this.onchange();
  }

  /** Deletes what was removed, or puts it back and throws why. @param {Summary} summary */
  async delete(summary) {
    const { id } = summary;
    try {
      await this.insist(id, TRIES);
    } catch (error) {
      this.putBack(summary);
      throw error;
    }
    this.leaving.delete(id);
    this.opened.forget(id);
  }

  /**
   * @private
   * @param {string} id
   * @param {number} tries
   */
  async insist(id, tries) {
    try {
      await this.api.ask(pathOf(id), { method: "DELETE", keepalive: true });
    } catch (error) {
      const refusal = error instanceof Refusal ? error : null;
      if (refusal?.status === 404) return;
      if (refusal?.retryAfterS === undefined || tries === 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      await this.insist(id, tries - 1);
    }
  }

  /**
   * @private
   * @param {string | null} before
   */
  async fetch(before) {
    const asked = (this.asked += 1);
    this.isLoading = true;
    this.trouble = "";
    this.onchange();
    try {
      const page = await this.page(before);
      if (asked !== this.asked) return;
      const found = page.conversations.filter((/** @type {Summary} */ one) => !this.leaving.has(one.id));
      this.shown = before ? [...this.shown, ...found] : found;
      this.before = page.before;
    } catch (error) {
      if (asked !== this.asked) return;
      this.trouble = error instanceof Refusal ? error.message : "The server cannot be reached.";
    }
    this.isLoading = false;
    this.onchange();
  }

  /**
   * With a token the server lists all that it has; without one it tells only of those that it is asked about.
   *
   * @private
   * @param {string | null} before
   */
  async page(before) {
    const wanted = { ...(this.query ? { q: this.query } : {}), ...(before ? { before } : {}) };
    if (this.api.token()) {
      try {
        return await this.api.read(`conversations?${new URLSearchParams(wanted)}`);
      } catch (error) {
        // The token is one of a time when the server wanted one.
        if (!(error instanceof Refusal && error.status === 403)) throw error;
      }
    }
    return this.api.read(LOOKUP, { method: "POST", json: { ...wanted, ids: this.opened.ids } });
  }
}

/** @param {string} id */
function pathOf(id) {
  return `conversations/${encodeURIComponent(id)}`;
}

/** @param {any} told a turn as the server remembers it */
export function turnOf(told) {
  const turn = new Turn("typed", 0, told.said);
  const { origin, reply, heard, outcome } = told;
  Object.assign(turn, { isUnasked: Boolean(origin), reply, heard, outcome, remembered: true });
  told.calls.forEach((/** @type {any} */ call, /** @type {number} */ at) => turn.use({ ...call, call: String(at) }));
  return turn;
}
