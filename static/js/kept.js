/** What the browser keeps for the page. One that keeps nothing still works, for as long as the page is open. */

/** @typedef {"localStorage" | "sessionStorage"} Place for all tabs, or for this one */

/**
 * @param {string} name
 * @param {Place} [place]
 * @returns {any} null where nothing is kept, or what is there is damaged
 */
export function recall(name, place = "localStorage") {
  try {
    return JSON.parse(globalThis[place].getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {Place} [place]
 */
export function keep(name, value, place = "localStorage") {
  try {
    globalThis[place].setItem(name, JSON.stringify(value));
  } catch {
    // Nothing is kept.
  }
}
