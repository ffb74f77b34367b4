/**
 * The microphone's end: whatever rate the device has, out come messages of `MESSAGE_MS` at 16 kHz, one channel, 16
 * bits.
 */

import { Framer, MESSAGE_MS, loudness, toInt16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

const RATE = 16_000;

class CaptureProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.framer = new Framer((RATE * MESSAGE_MS) / 1000);
    this.open = true;
    this.port.onmessage = () => (this.open = false);
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const channels = inputs[0];
    if (channels.length) this.framer.push(this.resampler.push(mixed(channels)), (piece) => this.send(piece));
    return this.open;
  }

  /** @param {Float32Array} piece */
  send(piece) {
    const pcm = toInt16(piece);
    this.port.postMessage({ pcm: pcm.buffer, ...loudness(piece) }, [pcm.buffer]);
  }
}

/** @param {Float32Array[]} channels */
function mixed(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}

registerProcessor("capture", CaptureProcessor);
