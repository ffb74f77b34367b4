/** Samples as numbers between -1 and 1, and as the 16-bit integers of the wire. Pure. */

/** How much of the person's voice goes into a message: a frame of the server's detector, which so hears it at once. */
export const MESSAGE_MS = 30;

/**
 * @param {Float32Array} samples
 * @returns {Int16Array}
 */
export function toInt16(samples) {
  return Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767));
}

/**
 * @param {Int16Array} pcm
 * @returns {Float32Array}
 */
export function toFloat32(pcm) {
  return Float32Array.from(pcm, (sample) => sample / 32768);
}

/** Cuts a stream of samples into pieces of one length. */
export class Framer {
  /** @param {number} length samples in a piece */
  constructor(length) {
    this.piece = new Float32Array(length);
    this.filled = 0;
  }

  /**
   * @param {Float32Array} samples
   * @param {(piece: Float32Array) => void} take is called for each whole piece, which it must not keep
   */
  push(samples, take) {
    for (let at = 0; at < samples.length; ) {
      const count = Math.min(samples.length - at, this.piece.length - this.filled);
      this.piece.set(samples.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === this.piece.length) {
        this.filled = 0;
        take(this.piece);
      }
    }
  }
}

/**
 * How loud a piece is: the root of its mean square, and whether there is any sound at all. A muted or virtual device
 * sends exact zeros; the quietest room does not.
 *
 * @param {Float32Array} samples
 * @returns {{rms: number, silent: boolean}}
 */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return { rms: Math.sqrt(sum / samples.length), silent: sum === 0 };
}

/**
 * Samples as the wire has them. Not by a typed array over the buffer: that would take the machine's byte order.
 *
 * @param {DataView} view
 * @param {number} at in bytes
 * @param {number} count
 */
export function samplesAt(view, at, count) {
  return Int16Array.from({ length: count }, (_, i) => view.getInt16(at + 2 * i, true));
}

/** The bytes of a text, each as a sign. @param {string} text */
export function bytesOf(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** @param {string} text */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

/**
 * The samples of a WAV file of one channel and 16 bits, as the server sends it.
 *
 * @param {string} text the file in base64
 * @returns {Int16Array} empty where there is none
 */
export function fromWav(text) {
  const bytes = fromBase64(text);
  const view = new DataView(bytes.buffer);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    if (name === "data") {
      const count = Math.min(size, bytes.length - at - 8) >> 1;
      return samplesAt(view, at + 8, count);
    }
    at += 8 + size + (size & 1);
  }
  return new Int16Array(0);
}
