/** The loudspeaker's end: a `Player` in the thread that makes the sound. */

import { Player } from "./player.js";

class PlaybackProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.player = new Player(sampleRate, (report) => this.port.postMessage(report));
    this.port.onmessage = ({ data }) => this.player.take(data);
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    this.player.play(outputs[0], currentTime);
    return true;
  }
}

registerProcessor("playback", PlaybackProcessor);
