/** The page's one AudioContext, with both worklets in it where the browser has them. */

const WORKLETS = ["capture-worklet.js", "playback-worklet.js"];

export class Audio {
  constructor() {
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {Promise<AudioContext> | null} */
    this.opening = null;
    /** Whether sound can be dealt with sample by sample beside the page; certain once it is open. */
    this.hasWorklets = Audio.isPossible && "AudioWorkletNode" in globalThis && "audioWorklet" in AudioContext.prototype;
    this.onchange = () => {};
  }

  /** Whether this browser can make sounds at all. */
  static get isPossible() {
    return "AudioContext" in globalThis;
  }

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

  /** @private */
  async make() {
    // At the device's own rate: Firefox connects no microphone to a context of another.
    const context = new AudioContext({ latencyHint: "interactive" });
    this.context = context;
    context.onstatechange = () => this.onchange();
    if (this.hasWorklets) {
      const modules = WORKLETS.map((file) => context.audioWorklet.addModule(new URL(file, import.meta.url).href));
      // There are browsers whose worklets know no modules that import others.
      await Promise.all(modules).catch(() => {
        this.hasWorklets = false;
      });
    }
    return context;
  }
}
