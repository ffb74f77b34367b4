/** Where the player runs. */

import { Player } from "./player.js";

/** At 48 kHz a call each 21 ms: what a flush waits for at most, twice. */
const BLOCK = 1024;

/** @typedef {{node: AudioNode, post: (message: any) => void}} Placed */

/**
 * In the thread that makes the sound.
 *
 * @param {AudioContext} context
 * @param {(report: any) => void} tell
 * @returns {Placed}
 */
export function playInWorklet(context, tell) {
  const node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [2] });
  node.port.onmessage = ({ data }) => tell(data);
  return { node, post: (message) => node.port.postMessage(message, message.chunk ? [message.chunk.pcm.buffer] : []) };
}

/**
 * In the page, where the browser has no worklets. A page that is busy can make it stumble, but it plays; and over plain
 * HTTP typed questions are answered aloud all the same.
 *
 * @param {AudioContext} context
 * @param {(report: any) => void} tell
 * @returns {Placed}
 */
export function playInPage(context, tell) {
  const player = new Player(context.sampleRate, tell);
  const node = context.createScriptProcessor(BLOCK, 0, 2);
  node.onaudioprocess = ({ outputBuffer }) => {
    const channels = [0, 1].map((channel) => outputBuffer.getChannelData(channel));
    // Not the event's own time, which browsers do not agree on.
    player.play(channels, context.currentTime);
  };
  return { node, post: (message) => player.take(message) };
}
