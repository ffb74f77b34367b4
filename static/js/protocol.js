/** How /ws spells things, as docs/protocol.md says. Pure. */

import { bytesOf, samplesAt } from "./pcm.js";

export const PROTOCOL = 1;

const SUBPROTOCOL = "voice-trio";
const CHUNK_HEADER_BYTES = 16;
const CHUNK_VERSION = 1;
const CHUNK_KIND_SPEECH = 1;
const CHUNK_KIND_PACKETS = 2;
const PACKETS_HEADER_BYTES = 20;

/** @typedef {{type: string, [field: string]: any}} Message */
/** @typedef {{id: string, kind: "timer" | "alarm" | "reminder", label: string, left_ms: number}} Timer */

/**
 * Of the sound of a phrase: as samples, or as packets of Opus, with which a stream may begin.
 *
 * @typedef {{
 *   phrase: number,
 *   turn: number,
 *   seq: number,
 *   first: number,
 *   pcm: Int16Array,
 *   begins?: boolean,
 *   packets?: Uint8Array[],
 * }} Chunk
 */

/**
 * What a page offers in the handshake: the only place where it can present a token.
 *
 * @param {string} token
 * @param {string} offer of a `Resumption`
 * @returns {string[]}
 */
export function subprotocols(token, offer) {
  if (!token) return [SUBPROTOCOL, offer];
  const packed = btoa(bytesOf(token)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return [SUBPROTOCOL, offer, `bearer.${packed}`];
}

/**
 * Reads a binary message; null for a kind that this version does not know.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Chunk | null}
 */
export function decodeChunk(buffer) {
  if (buffer.byteLength < CHUNK_HEADER_BYTES) return null;
  const view = new DataView(buffer);
  if (view.getUint8(0) !== CHUNK_VERSION) return null;
  const head = {
    phrase: view.getUint16(2, true),
    turn: view.getUint32(4, true),
    seq: view.getUint32(8, true),
    first: view.getUint32(12, true),
  };
  const kind = view.getUint8(1);
  if (kind === CHUNK_KIND_PACKETS && buffer.byteLength >= PACKETS_HEADER_BYTES) {
    return { ...head, pcm: new Int16Array(0), begins: view.getUint8(18) === 1, packets: packetsOf(view) };
  }
  if (kind !== CHUNK_KIND_SPEECH) return null;
  const count = (buffer.byteLength - CHUNK_HEADER_BYTES) >> 1;
  return { ...head, pcm: samplesAt(view, CHUNK_HEADER_BYTES, count) };
}

/** @param {DataView} view of a message with packets */
function packetsOf(view) {
  const packets = [];
  let at = PACKETS_HEADER_BYTES;
  for (let left = view.getUint8(at - 1); left && at + 2 <= view.byteLength; left -= 1) {
    const begin = at + 2;
    at = begin + view.getUint16(at, true);
    packets.push(new Uint8Array(view.buffer.slice(begin, at)));
  }
  return packets;
}

/**
 * Reads a text message; null for what is no message at all.
 *
 * @param {string} text
 * @returns {Message | null}
 */
export function decodeEvent(text) {
  try {
    const event = JSON.parse(text);
    return typeof event?.type === "string" ? event : null;
  } catch {
    return null;
  }
}

/**
 * A part of `text` by code points, which is how the server counts; JavaScript's own positions
 * count some characters twice.
 *
 * @param {string} text
 * @param {number} start
 * @param {number} [end]
 */
export function sliceCodePoints(text, start, end) {
  return Array.from(text).slice(start, end).join("");
}

/**
 * What is shown after a `partial`.
 *
 * @param {string} shown
 * @param {{keep: number, text: string}} partial
 */
export function applyPartial(shown, partial) {
  return sliceCodePoints(shown, 0, partial.keep) + partial.text;
}
