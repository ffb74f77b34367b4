/** Which words of a reply belong to which moment of its sound: its phrases, and words where the voice knows. Pure. */

/**
 * A phrase and its place in the reply, in code points, and in the turn's sound, in samples; null is not known yet.
 * `words` are [sample of the phrase, code point of the reply] at which each begins; empty where the voice does not
 * know.
 *
 * @typedef {{
 *   phrase: number,
 *   start: number,
 *   end: number,
 *   first: number | null,
 *   samples: number | null,
 *   words: [number, number][],
 * }} Phrase
 */

/**
 * @param {import("./protocol.js").Message} event a `tts_phrase`
 * @returns {Phrase}
 */
export function phraseOf({ phrase, start, end, words }) {
  return { phrase, start, end, first: null, samples: null, words: [...(words ?? [])] };
}

/**
 * What is being said at a moment: a word where the voice knows its words, else the phrase.
 *
 * @param {Phrase[]} phrases
 * @param {string} reply
 * @param {number} position in samples of the turn
 * @returns {[number, number] | null} its place in the reply
 */
export function spokenAt(phrases, reply, position) {
  const phrase = phrases.findLast((one) => one.first !== null && one.first <= position);
  if (!phrase) return null;
  const { words } = phrase;
  if (!words.length) return [phrase.start, phrase.end];
  const at = words.findLastIndex(([sample]) => /** @type {number} */ (phrase.first) + sample <= position);
  return placeOf(phrase, Array.from(reply), Math.max(0, at));
}

/**
 * How much of the reply was heard, as the server would say it: a word counts once it was heard to its end.
 *
 * @param {Phrase[]} phrases
 * @param {string} reply
 * @param {number} position in samples of the turn
 * @returns {number} in code points
 */
export function heardOf(phrases, reply, position) {
  let heard = 0;
  for (const [i, phrase] of phrases.entries()) {
    const { first } = phrase;
    if (first === null || first >= position) break;
    const next = phrases.slice(i + 1).find((one) => one.first !== null)?.first;
    const samples = phrase.samples ?? (next == null ? Infinity : next - first);
    if (position - first < samples) return Math.max(heard, heardIn(phrase, reply, position - first, samples));
    heard = phrase.end;
  }
  return heard;
}

/**
 * @param {Phrase} phrase
 * @param {string} reply
 * @param {number} position in samples of the phrase
 * @param {number} samples
 */
function heardIn({ start, end, words }, reply, position, samples) {
  if (words.length) return words.findLast(([sample]) => sample <= position)?.[1] ?? start;
  const points = Array.from(reply);
  let cut = start + Math.floor(((end - start) * position) / samples);
  while (cut > start && !isGap(points[cut])) cut -= 1;
  return cut;
}

/**
 * Where a word stands: signs before and behind it that are not said belong to it, as far as the next white space.
 *
 * @param {Phrase} phrase
 * @param {string[]} points
 * @param {number} at
 * @returns {[number, number]}
 */
function placeOf({ start: first, end: last, words }, points, at) {
  let [, start] = words[at];
  let end = start + 1;
  const before = words[at - 1]?.[1] ?? first;
  const after = words[at + 1]?.[1] ?? last;
  while (end < after && !isGap(points[end])) end += 1;
  const gap = points.slice(before, start).findLastIndex(isGap);
  if (gap >= 0 || at === 0) start = before + gap + 1;
  return [start, end];
}

/** @param {string | undefined} point */
function isGap(point) {
  return point !== undefined && /\s/u.test(point);
}
