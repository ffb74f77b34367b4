/**
 * How long a turn took, on one axis: 0 is where the person stopped speaking, or sent what they typed. Pure.
 */

/** @typedef {{name: string, label: string, server: number | null, page: number | null}} Row */

const NAMES = [
  ["speech_start", "speech begins"],
  ["first_partial", "first words shown"],
  ["speech_end", "speech ends"],
  ["final", "words are final"],
  ["first_token", "first word of the answer"],
  ["first_audio", "first sound"],
  ["done", "done"],
];

/**
 * @param {Record<string, number>} marks the page's, in ms since the turn was asked for
 * @param {Record<string, number | null> | null} latency the server's
 * @returns {Row[]} with times in ms from 0; what neither of the two saw is left out
 */
export function rowsOf(marks, latency) {
  const origin = marks.speech_end ?? marks.final ?? 0;
  const start = marks.speech_start === undefined ? null : marks.speech_start - origin;
  const spoke = marks.speech_end !== undefined;
  /** @type {Record<string, number | null | undefined>} */
  const server = {
    // The server tells no times of its own but these; its speech begins and ends where the page's does.
    speech_start: start,
    first_partial: start === null || latency?.t_first_partial_ms == null ? null : start + latency.t_first_partial_ms,
    speech_end: spoke ? 0 : null,
    final: latency?.t_final_transcript_ms,
    first_token: latency?.t_first_token_ms,
    first_audio: latency?.t_first_audio_ms,
    done: latency?.total_reply_ms,
  };
  return NAMES.map(([name, label]) => ({
    name,
    label,
    server: server[name] ?? null,
    page: marks[name] === undefined ? null : marks[name] - origin,
  })).filter((row) => row.server !== null || row.page !== null);
}

/** Where the first sound stands on a bar of width 1, and so where the part that is pressed together begins. */
const KNEE = 0.88;

/** Most marks on the axis. */
const MOST_TICKS = 6;

/**
 * Where on a bar of width 1 a time from 0 on lies: by the same measure as far as the first sound. What comes after
 * that is the length of the reply, which says nothing about how fast it was: that part of the axis is pressed
 * together.
 *
 * @param {Row[]} rows
 * @returns {(ms: number) => number}
 */
export function scaleOf(rows) {
  const knee = kneeOf(rows);
  const end = Math.max(knee, ...rows.flatMap(({ server, page }) => [server ?? 0, page ?? 0]));
  return (ms) => {
    if (ms <= knee) return KNEE * Math.max(0, ms / knee);
    return KNEE + ((1 - KNEE) * (ms - knee)) / (end - knee);
  };
}

/**
 * The marks on the axis, as far as it has one measure.
 *
 * @param {Row[]} rows
 * @returns {number[]} in ms
 */
export function ticksOf(rows) {
  const knee = kneeOf(rows);
  const step = [100, 200, 500, 1000, 2000, 5000, 10_000].find((one) => knee / one < MOST_TICKS) ?? 20_000;
  return Array.from({ length: Math.floor(knee / step) + 1 }, (_, i) => i * step);
}

/** @param {Row[]} rows */
function kneeOf(rows) {
  const sound = rows.filter(({ name }) => name === "first_audio");
  const shown = sound.length ? sound : rows.filter(({ name }) => name !== "done");
  return Math.max(1, ...shown.flatMap(({ server, page }) => [server ?? 0, page ?? 0]));
}

/**
 * @param {Row[]} rows
 * @param {number} silenceMs that was waited for, at most, before the words were taken for all of them
 * @returns {string} the one figure that a person feels, in words, and how much of it they had a part in
 */
export function summaryOf(rows, silenceMs) {
  const row = rows.find((one) => one.name === "first_audio") ?? rows.find((one) => one.name === "first_token");
  const ms = row?.page ?? row?.server;
  if (row === undefined || ms == null) return "Timing";
  // A pause that was known for the end sooner is over when the words are final, since they are made out meanwhile.
  const waited = Math.min(ms, silenceMs, rows.find((one) => one.name === "final")?.page ?? 0);
  const paused = waited >= 50 ? `; ${(waited / 1000).toFixed(1)} s of it was waiting for your pause` : "";
  return `${row.name === "first_audio" ? "First sound" : "First word"} after ${seconds(ms)}${paused}`;
}

/** @param {number} ms */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`.replace("-", "\u2212");
}
