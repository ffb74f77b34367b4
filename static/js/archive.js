/**
 * The conversations that the server remembers: which there are, and what is done to them. What is removed is
 * deleted only when the person has had the time to take it back. Knows no element of the page.
 */

import { Refusal, ask, read } from "./api.js";
import { Turn } from "./turn.js";

/** @typedef {import("./conversations.js").Summary} Summary */

/** Of one conversation: what is older is not shown. */
const MOST_TURNS = 500;

/** A session of ours that was just ended may have it still. */
const TRIES = 8;
const AGAIN_MS = 500;

export class Archive {
  /**
   * @param {string} url of /api/conversations
   * @param {() => string} token
   * @param {import("./conversations.js").Opened} opened
   */
  constructor(url, token, opened) {
    this.url = url;
    this.token = token;
    this.opened = opened;
    /** @type {Summary[]} */
    this.shown = [];
    /** What the next page begins before; null: there is none. @type {string | null} */
    this.before = null;
    this.isLoading = false;
    /** Why the list is not there, in a sentence. */
    this.trouble = "";
    this.query = "";
    /** The one that will be deleted. @type {Summary | null} */
    this.leaving = null;
    /** Which request is the latest. */
    this.asked = 0;
    this.onchange = () => {};
    /** One could not be deleted. @type {(error: Error) => void} */
    this.onfail = () => {};
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
    const { conversations } = await this.post({ ids: [id] });
    if (!conversations.length) return null;
    /** @type {Turn[]} */
    const turns = [];
    let older = "";
    do {
      const told = await read(await ask(this.at(id) + older, { token: this.token() }));
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
    const body = JSON.stringify({ title });
    const told = await read(await ask(this.at(id), { token: this.token(), method: "PATCH", body }));
    for (const one of this.shown) if (one.id === id) one.title = told.title;
    this.onchange();
  }

  /** Takes a conversation off the list; it is deleted when that is settled. @param {Summary} summary */
  remove(summary) {
    this.settle();
    this.shown = this.shown.filter((one) => one.id !== summary.id);
    this.leaving = summary;
    this.onchange();
  }

  /** Takes back what was removed last, if that is not settled. */
  undo() {
    const { leaving } = this;
    this.leaving = null;
    if (leaving) this.putBack(leaving);
  }

  /** Deletes what was removed. */
  async settle() {
    const { leaving } = this;
    this.leaving = null;
    if (leaving) await this.delete(leaving);
  }

  /**
   * @private
   * @param {Summary} summary
   */
  async delete(summary) {
    const { id } = summary;
    for (let tries = 1; ; tries += 1) {
      try {
        await ask(this.at(id), { token: this.token(), method: "DELETE", keepalive: true });
        break;
      } catch (error) {
        const refusal = error instanceof Refusal ? error : null;
        if (refusal?.status === 404) break;
        if (refusal?.retryAfterS !== undefined && tries < TRIES) {
          await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
          continue;
        }
        this.putBack(summary);
        this.onfail(/** @type {Error} */ (error));
        return;
      }
    }
    this.opened.forget(id);
  }

  /**
   * @private
   * @param {Summary} summary
   */
  putBack(summary) {
    this.shown = [...this.shown.filter((one) => one.id !== summary.id), summary];
    this.shown.sort((one, other) => other.last_at - one.last_at);
    this.onchange();
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
      const found = page.conversations.filter((/** @type {Summary} */ one) => one.id !== this.leaving?.id);
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
    if (this.token()) {
      try {
        return await read(await ask(`${this.url}?${new URLSearchParams(wanted)}`, { token: this.token() }));
      } catch (error) {
        // The token is one of a time when the server wanted one.
        if (!(error instanceof Refusal && error.status === 403)) throw error;
      }
    }
    return this.post({ ...wanted, ids: this.opened.ids });
  }

  /**
   * @private
   * @param {object} wanted
   */
  async post(wanted) {
    const body = JSON.stringify(wanted);
    return read(await ask(`${this.url}/lookup`, { token: this.token(), method: "POST", body }));
  }

  /**
   * @private
   * @param {string} id
   */
  at(id) {
    return `${this.url}/${encodeURIComponent(id)}`;
  }
}

/** @param {any} told a turn as the server remembers it */
export function turnOf(told) {
  const turn = new Turn("typed", 0, told.said);
  const { origin, reply, heard, outcome } = told;
  Object.assign(turn, { isUnasked: Boolean(origin), reply, heard, outcome, remembered: true });
  told.calls.forEach((/** @type {any} */ call, /** @type {number} */ at) => turn.use({ ...call, call: String(at) }));
  return turn;
}
