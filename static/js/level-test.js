/** Whether the microphone hears the person: how loud it is, as it is spoken, and a verdict in words. */

import { Audio } from "./audio.js";
import { Microphone } from "./capture.js";
import { byId, setText } from "./dom.js";
import { levelOf } from "./orb-shape.js";
import { troubleOfMicrophone } from "./trouble.js";

/** Speech into a microphone that is well set is louder, as the root of the mean square. */
const HEARD_RMS = 0.006;

/** Whoever was asked to say something has by then. */
const SOON_MS = 3000;

export class LevelTest {
  /**
   * @param {import("./capture.js").Microphone} microphone
   * @param {{isNeeded: () => boolean, opened: () => void}} options whether the microphone is to stay open for something
   *   else, and who is told that it is open: by now its devices have names
   */
  constructor(microphone, { isNeeded, opened }) {
    this.microphone = microphone;
    this.isNeeded = isNeeded;
    this.opened = opened;
    this.isOn = false;
    this.loudest = 0;
    this.button = byId("test-microphone");
    this.place = byId("microphone-level");
    this.meter = /** @type {HTMLMeterElement} */ (this.place.querySelector("meter"));
    this.verdict = /** @type {HTMLElement} */ (this.place.querySelector("p"));
    this.button.hidden = !(Microphone.isPossible && Audio.isPossible);
    this.button.addEventListener("click", () => (this.isOn ? this.stop() : this.start()));
  }

  async start() {
    this.isOn = true;
    this.loudest = 0;
    this.place.hidden = false;
    setText(this.button, "Stop");
    setText(this.verdict, "Opening the microphone …");
    try {
      await this.microphone.open();
    } catch (error) {
      const { title, text } = troubleOfMicrophone(/** @type {Error} */ (error).name);
      if (this.isOn) this.end();
      setText(this.verdict, `${title} ${text}`);
      return;
    }
    // Who has stopped it meanwhile does not want it open.
    if (!this.isOn) return this.letGo();
    const openedAt = performance.now();
    this.microphone.onlevel = (rms) => this.show(rms, performance.now() - openedAt);
    this.opened();
  }

  stop() {
    this.place.hidden = true;
    if (!this.isOn) return;
    this.end();
    this.letGo();
  }

  /** Goes on with the microphone that is chosen by now. */
  async again() {
    if (!this.isOn) return;
    this.stop();
    await this.start();
  }

  /** @private */
  end() {
    this.isOn = false;
    this.microphone.onlevel = () => {};
    this.meter.value = 0;
    setText(this.button, "Test");
  }

  /** @private */
  letGo() {
    if (!this.isNeeded()) this.microphone.close();
  }

  /**
   * @private
   * @param {number} rms
   * @param {number} sinceMs it was opened
   */
  show(rms, sinceMs) {
    this.loudest = Math.max(this.loudest, rms);
    this.meter.value = levelOf(rms);
    setText(this.verdict, verdictOf(this.loudest, sinceMs));
  }
}

/**
 * What a person is told of their microphone.
 *
 * @param {number} loudest that it was so far, as the root of the mean square, 0 to 1
 * @param {number} sinceMs it was opened
 */
export function verdictOf(loudest, sinceMs) {
  if (loudest > HEARD_RMS) return "It hears you.";
  if (sinceMs < SOON_MS) return "Say something …";
  if (!loudest) return "Nothing comes from it: it may be switched off. Choose another one above.";
  return "It hears next to nothing: speak up, or choose another one above.";
}
