/** The page's one AudioContext, with both worklets in it where the browser has them. */

const WORKLETS = ["capture-worklet.js", "playback-worklet.js"];

/** A new volume is mostly there after this time. */
const VOLUME_S = 0.02;

export class Audio {
  /** @type {AudioContext | null} */
  context = null;
  /** @type {Promise<AudioContext> | null} */
  opening = null;
  /** Whether sound can be dealt with sample by sample beside the page; certain once it is open. */
  hasWorklets = Audio.isPossible && "AudioWorkletNode" in globalThis && "audioWorklet" in AudioContext.prototype;
  /** Which device for output; empty for the usual one. */
  device = "";
  volume = 1;
  /** What everything that is to be heard goes through; there once it is open. @type {GainNode | null} */
  out = null;
  onchange = () => {};

  /** Whether this browser can make sounds at all. */
  static get isPossible() {
    return "AudioContext" in globalThis;
  }

  /** Whether the devices for output can be chosen in this browser. */
  static canChoose = "AudioContext" in globalThis && "setSinkId" in AudioContext.prototype;

  /** Whether the browser holds it back, until the person touches the page. */
  get isHeldBack() {
    return this.context !== null && this.context.state !== "running";
  }

  /**
   * Makes the context ready. Called from a gesture, it also lets the sound begin.
   *
   * @returns {Promise<AudioContext>}
   */
  open() {
    this.opening ??= this.make();
    // Not awaited: without a gesture it would wait for one.
    this.context?.resume().catch(() => {});
    return this.opening;
  }

  /** @param {number} volume of all that is to be heard, 0 to 1 */
  setVolume(volume) {
    this.volume = volume;
    // In a moment, or it would click.
    this.out?.gain.setTargetAtTime(volume, /** @type {AudioContext} */ (this.context).currentTime, VOLUME_S);
  }

  /** @param {string} device */
  async choose(device) {
    this.device = device;
    const context = /** @type {any} */ (this.context);
    // A device that is gone is no reason to be silent: the usual one goes on.
    if (Audio.canChoose && context && (context.sinkId ?? "") !== device) {
      await context.setSinkId(device).catch(() => {});
    }
  }

  /** @private */
  async make() {
    // At the device's own rate: Firefox connects no microphone to a context of another.
    const context = new AudioContext({ latencyHint: "interactive" });
    this.context = context;
    this.out = context.createGain();
    this.out.gain.value = this.volume;
    this.out.connect(context.destination);
    context.onstatechange = () => this.onchange();
    if (this.hasWorklets) {
      const modules = WORKLETS.map((file) => context.audioWorklet.addModule(new URL(file, import.meta.url).href));
      // There are browsers whose worklets know no modules that import others.
      await Promise.all(modules).catch(() => {
        this.hasWorklets = false;
      });
    }
    // Not awaited: sound on the usual one is better than none.
    this.choose(this.device);
    return context;
  }
}
