/** A turn's moments in the browser's own timeline. */

/** @typedef {import("./turn.js").Turn} Turn */

/** Which moments stand in the browser's own timeline already. @type {WeakMap<Turn, Set<string>>} */
const marked = new WeakMap();

/**
 * Writes a turn's moments into the browser's own timeline, where its tools show them.
 *
 * @param {Turn} turn
 */
export function markAll(turn) {
  const names = marked.get(turn) ?? new Set();
  marked.set(turn, names);
  for (const [name, at] of Object.entries(turn.marks)) {
    if (names.has(name)) continue;
    names.add(name);
    try {
      performance.mark(`voice_trio:turn-${turn.key}:${name}`, { startTime: turn.askedAt + at });
    } catch {
      // A browser that knows no marks of another moment than the present one does without.
    }
  }
}
