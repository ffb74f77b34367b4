/** What listens to an open microphone. */

import { MESSAGE_MS, loudness } from "./pcm.js";

/**
 * `pcm` is null where the browser cannot hand out samples.
 *
 * @typedef {{pcm: ArrayBuffer | null, rms: number, silent: boolean}} Message
 */

/** @typedef {(message: Message) => void} Take */

/**
 * Hands out every sample, as the server wants them.
 *
 * @param {AudioContext} context
 * @param {MediaStream} stream
 * @param {Take} take
 * @returns {() => void} what ends it
 */
export function tapSamples(context, stream, take) {
  const source = context.createMediaStreamSource(stream);
  const worklet = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  worklet.port.onmessage = ({ data }) => take(data);
  source.connect(worklet);
  return () => {
    source.disconnect();
    worklet.port.onmessage = null;
    worklet.port.postMessage("close");
  };
}

/**
 * Looks from time to time how loud it is, where the browser has no worklets.
 *
 * @param {AudioContext} context
 * @param {MediaStream} stream
 * @param {Take} take
 * @returns {() => void} what ends it
 */
export function tapLevel(context, stream, take) {
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    // One that is held back would show silence.
    if (context.state !== "running") return;
    analyser.getFloatTimeDomainData(samples);
    take({ pcm: null, ...loudness(samples) });
  }, MESSAGE_MS);
  return () => {
    source.disconnect();
    clearInterval(timer);
  };
}
