/** `POST /api/utterance`: a whole recording goes to the server, and a whole answer comes back. */

import { ask, read } from "./api.js";

/**
 * @typedef {{
 *   conversation: string,
 *   outcome: string,
 *   transcript: string,
 *   reply: string,
 *   heard: number,
 *   remembered: boolean | null,
 *   latency: Record<string, number | null>,
 *   audio: {sample_rate: number, wav: string} | null,
 *   errors: {code: string, message: string}[],
 *   infos: {code: string, message: string}[],
 * }} Answer
 */

/**
 * @param {string} url
 * @param {Blob} recording
 * @param {{token: string, request: Record<string, any>, signal: AbortSignal}} options
 * @returns {Promise<Answer>} throws `Refusal`, and what `fetch` throws
 */
export async function postUtterance(url, recording, { token, request, signal }) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request)) if (value != null) query.set(name, String(value));
  const response = await ask(`${url}?${query}`, {
    method: "POST",
    body: recording,
    headers: { "Content-Type": recording.type },
    token,
    signal,
  });
  return read(response);
}
