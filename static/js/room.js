/** Whether a server has room for a session: a browser does not tell a page why a handshake failed. */

import { Refusal, ask } from "./api.js";

/** Nobody waits for the answer any longer. */
const PATIENCE_MS = 4_000;

/**
 * @param {string} url where the server tells
 * @param {string} token
 * @returns {Promise<{code: string, message: string, recoverable: boolean, retry_after_s?: number} | null>} the error that
 *   says why there is none, as /ws would; null where there is room, or where nobody knows
 */
export async function busy(url, token) {
  try {
    await ask(url, { token, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    if (error instanceof Refusal && error.code === "SERVER_BUSY") {
      return { code: error.code, message: error.message, recoverable: false, retry_after_s: error.retryAfterS };
    }
  }
  return null;
}
