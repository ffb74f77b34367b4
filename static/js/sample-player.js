/** Plays one sample of a voice at a time, over the same loudspeaker as the answers. */

export class SamplePlayer {
  /**
   * @param {import("./audio.js").Audio} audio
   * @param {(voice: string, signal: AbortSignal) => Promise<ArrayBuffer>} fetchSample
   */
  constructor(audio, fetchSample) {
    this.audio = audio;
    this.fetchSample = fetchSample;
    /** @type {AbortController | null} */
    this.playing = null;
    this.onchange = () => {};
    /** @type {(error: Error) => void} */
    this.onfail = () => {};
  }

  /**
   * Plays a sample, and returns when it is over, or was stopped.
   *
   * @param {string} voice
   */
  async play(voice) {
    this.stop();
    const playing = new AbortController();
    const { signal } = playing;
    this.playing = playing;
    this.onchange();
    try {
      // At once, while the browser still takes the press for a reason to let the page make sounds.
      const opening = this.audio.open();
      const bytes = await this.fetchSample(voice, signal);
      const context = await opening;
      await sound(context, this.audio.out ?? context.destination, await context.decodeAudioData(bytes), signal);
    } catch (error) {
      if (!signal.aborted) this.onfail(/** @type {Error} */ (error));
    } finally {
      if (this.playing === playing) this.playing = null;
      this.onchange();
    }
  }

  stop() {
    this.playing?.abort();
    this.playing = null;
  }
}

/**
 * @param {AudioContext} context
 * @param {AudioNode} out what it goes through
 * @param {AudioBuffer} buffer
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function sound(context, out, buffer, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(out);
    source.onended = () => resolve();
    signal.addEventListener("abort", () => source.stop());
    source.start();
  });
}
