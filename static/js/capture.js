/** The microphone: asked for when it is needed, given back when it was not for a while. */

import { Audio } from "./audio.js";
import { MESSAGE_MS } from "./pcm.js";
import { tapLevel, tapSamples } from "./taps.js";
import { TROUBLES, troubleOfSilence } from "./trouble.js";

/** An open microphone costs the next press nothing; one that stays open makes people uneasy. */
const KEEP_OPEN_MS = 20_000;

/** So much exact silence is no quiet room. */
const SILENT_MS = 4000;

/** @typedef {import("./taps.js").Message} Message */

export class Microphone {
  /**
   * @param {import("./events.js").Events} events
   * @param {import("./audio.js").Audio} audio
   */
  constructor(events, audio) {
    this.events = events;
    this.audio = audio;
    /** Which device; empty for the usual one. */
    this.device = "";
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {Promise<void> | null} */
    this.opening = null;
    /** @type {(() => void) | null} */
    this.untap = null;
    this.silentFor = 0;
    this.isHushed = false;
    /** @type {number | undefined} */
    this.timer = undefined;
    /** @type {(message: Message) => void} */
    this.onmessage = () => {};
    /** Who else wants to know how loud it is, whatever is done with the sound. @type {(rms: number) => void} */
    this.onlevel = () => {};
  }

  static isPossible = Boolean(globalThis.navigator?.mediaDevices?.getUserMedia);

  /** What the device calls itself. */
  get label() {
    return this.stream?.getAudioTracks()[0]?.label ?? "";
  }

  /** Opens it, if it is not. Throws what `getUserMedia` throws. */
  open() {
    clearTimeout(this.timer);
    this.opening ??= this.start().catch((error) => {
      this.close();
      throw error;
    });
    return this.opening;
  }

  /** It is not needed now, but perhaps soon. */
  rest() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), KEEP_OPEN_MS);
  }

  close() {
    clearTimeout(this.timer);
    this.untap?.();
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.untap = this.stream = this.opening = null;
    this.hush(false);
  }

  /** @private */
  async start() {
    // Without sound the microphone may still be recorded.
    const context = Audio.isPossible ? await this.audio.open() : null;
    const stream = await this.ask();
    this.stream = stream;
    stream.getAudioTracks()[0].onended = () => {
      this.close();
      this.events.tell("unplugged");
    };
    if (!context) return;
    const tap = this.audio.hasWorklets ? tapSamples : tapLevel;
    this.untap = tap(context, stream, (message) => this.take(message));
  }

  /** @private */
  async ask() {
    const wanted = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    if (this.device) {
      try {
        return await navigator.mediaDevices.getUserMedia({ audio: { ...wanted, deviceId: { exact: this.device } } });
      } catch (error) {
        if (!["OverconstrainedError", "NotFoundError"].includes(/** @type {Error} */ (error).name)) throw error;
        this.device = "";
        this.events.tell("notice", "device", TROUBLES.deviceGone, "note");
      }
    }
    return navigator.mediaDevices.getUserMedia({ audio: wanted });
  }

  /**
   * @private
   * @param {Message} message
   */
  take(message) {
    if (!this.stream) return;
    this.silentFor = message.silent ? this.silentFor + MESSAGE_MS : 0;
    this.hush(this.silentFor >= SILENT_MS);
    this.onlevel(message.rms);
    this.onmessage(message);
  }

  /**
   * @private
   * @param {boolean} isSilent
   */
  hush(isSilent) {
    if (isSilent === this.isHushed) return;
    this.isHushed = isSilent;
    if (!isSilent) this.silentFor = 0;
    this.events.tell("notice", "silence", isSilent ? troubleOfSilence(this.label) : null);
  }
}
