/** A turn's moments in the browser's own timeline, where its tools show them. */

/** Which moments stand there already. @type {Set<string>} */
const marked = new Set();

/** @param {import("./turn.js").Turn} turn */
export function markAll({ key, askedAt, marks }) {
  for (const [name, at] of Object.entries(marks)) {
    const label = `voice_trio:turn-${key}:${name}`;
    if (marked.has(label)) continue;
    marked.add(label);
    // There are browsers in which that can be switched off.
    performance.mark?.(label, { startTime: askedAt + at });
  }
}
