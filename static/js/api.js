/** What is asked of the server over HTTP, and how it refuses. */

/** The server did not do what was asked, and says why as an `error` of /ws would. */
export class Refusal extends Error {
  /**
   * @param {{code: string, message: string, retry_after_s?: number, incident?: string}} error
   * @param {number} status
   */
  constructor(error, status) {
    super(error.message);
    this.code = error.code;
    this.status = status;
    this.incident = error.incident;
    /** When the same would do; undefined if it never will. */
    this.retryAfterS = error.retry_after_s;
    /** Whether it may be that the server no longer knows the conversation. */
    this.mayBeForgotten = status === 400 && error.code === "PROTOCOL_VIOLATION";
  }
}

/**
 * @param {string} url
 * @param {RequestInit & {token: string}} options
 * @returns {Promise<Response>} one that says yes; throws `Refusal`, and what `fetch` throws
 */
export async function ask(url, { token, headers, ...options }) {
  const response = await fetch(url, {
    ...options,
    headers: { ...headers, ...(token ? { Authorization: `Bearer ${latin(token)}` } : {}) },
  });
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Refusal(body?.error ?? unknown(response.status), response.status);
}

/**
 * Reads what an answer says in JSON, an object a line, as it comes.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<any>}
 */
export async function* readLines(response) {
  const reader = /** @type {ReadableStream<any>} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

/**
 * Reads what an answer says in JSON.
 *
 * @param {Response} response
 * @returns {Promise<any>} throws `Refusal` where it says nothing of the kind: something between here and the server did
 */
export async function read(response) {
  const body = await response.json().catch(() => null);
  if (body) return body;
  throw new Refusal(unknown(response.status), response.status);
}

/** @param {number} status */
function unknown(status) {
  return { code: "INTERNAL", message: `The server answered with status ${status}.` };
}

/**
 * The bytes of a text as a header holds them, which knows no other signs.
 *
 * @param {string} text
 */
function latin(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
