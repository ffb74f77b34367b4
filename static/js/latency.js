/**
 * How long a turn took, on one axis: 0 is where the person stopped speaking, or sent what they typed. Pure.
 */

/** @typedef {{name: string, label: string, server: number | null, page: number | null}} Row */

const NAMES = [
  ["speech_start", "speech begins"],
  ["first_partial", "first words shown"],
  ["speech_end", "speech ends"],
  ["final", "words are final"],
  ["first_token", "first of the answer"],
  ["first_audio", "first sound"],
  ["done", "done"],
];

/**
 * @param {Record<string, number>} marks the page's, in ms since the turn was asked for
 * @param {Record<string, number | null> | null} latency the server's
 * @returns {Row[]} with times in ms from 0; what neither of the two saw is left out
 */
export function rowsOf(marks, latency) {
  const origin = marks.speech_end ?? (marks.final === undefined ? 0 : marks.final);
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

/**
 * Where on a bar of width 1 a time lies. What comes after the first sound is the length of the reply, which says nothing
 * about how fast it was: that part of the axis is pressed together.
 *
 * @param {Row[]} rows
 * @returns {(ms: number) => number}
 */
export function scaleOf(rows) {
  const times = rows.flatMap((row) => [row.server, row.page]).filter((time) => time !== null);
  const sounds = rows.filter((row) => row.name !== "done").flatMap((row) => [row.server, row.page]);
  const begin = Math.min(0, ...times);
  const knee = Math.max(begin + 1, ...sounds.filter((time) => time !== null)) * 1.02;
  const end = Math.max(knee, ...times);
  return (ms) => {
    if (ms <= knee) return (0.9 * (ms - begin)) / (knee - begin);
    return 0.9 + (0.1 * (ms - knee)) / (end - knee);
  };
}

/**
 * @param {Row[]} rows
 * @returns {string} the one figure that a person feels, in words
 */
export function summaryOf(rows) {
  const row = rows.find((one) => one.name === "first_audio") ?? rows.find((one) => one.name === "first_token");
  const ms = row?.page ?? row?.server;
  if (row === undefined || ms == null) return "Timing";
  return `${row.name === "first_audio" ? "First sound" : "First word"} after ${seconds(ms)}`;
}

/** @param {number} ms */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`.replace("-", "\u2212");
}
