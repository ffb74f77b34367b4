/** `POST /api/utterance`: a whole recording goes to the server, and a whole answer comes back. */

/** The server did not take a recording, and says why as an `error` of /ws would. */
export class Refusal extends Error {
  /**
   * @param {{code: string, message: string, retry_after_s?: number, incident?: string}} error
   * @param {number} status
   */
  constructor(error, status) {
    super(error.message);
    this.code = error.code;
    this.incident = error.incident;
    /** When the same would do; undefined if it never will. */
    this.retryAfterS = error.retry_after_s;
    /** Whether it may be that the server no longer knows the conversation. */
    this.mayBeForgotten = status === 400 && error.code === "PROTOCOL_VIOLATION";
  }
}

/**
 * @typedef {{
 *   conversation: string,
 *   outcome: string,
 *   transcript: string,
 *   reply: string,
 *   heard: number,
 *   remembered: boolean,
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
  const response = await fetch(`${url}?${query}`, {
    method: "POST",
    body: recording,
    headers: { "Content-Type": recording.type, ...(token ? { Authorization: `Bearer ${latin(token)}` } : {}) },
    signal,
  });
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const error = body?.error ?? { code: "INTERNAL", message: `The server answered with status ${response.status}.` };
  throw new Refusal(error, response.status);
}

/**
 * The bytes of a text as a header holds them, which knows no other signs.
 *
 * @param {string} text
 */
function latin(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
