/** The settings dialog: shows the choices, and tells when one of them changes. */

import { byId, dialogById, setText, showLine } from "./dom.js";
import { nameOf } from "./languages.js";

/** Those that are numbers. */
const NUMBERS = new Set(["silenceMs", "speed", "volume"]);

/** What is said beside a slider. @type {Record<string, (value: string) => string>} */
const DESCRIPTIONS = {
  speed: (value) => `${value} ×`,
  volume: (value) => `${Math.round(100 * Number(value))} %`,
};

/** Offered where the recognizer takes any language. */
const COMMON_LANGUAGES = "en es fr de it pt nl pl uk ru tr ar hi ja ko zh".split(" ");

/** @typedef {HTMLInputElement | HTMLSelectElement} Control the first option of a list is no choice */

export class ChoicesView {
  /**
   * @param {import("./choices.js").Choices} choices are changed in place
   * @param {{changed: (name: string) => void}} options
   */
  constructor(choices, { changed }) {
    this.choices = /** @type {Record<string, any>} */ (choices);
    this.dialog = dialogById("settings");
    const form = /** @type {HTMLFormElement} */ (this.dialog.querySelector("form"));
    const controls = /** @type {Control[]} */ ([...form.elements]).filter(({ name }) => name in choices);
    for (const control of controls) {
      this.show(control);
      control.addEventListener("input", () => describe(control));
      control.addEventListener("change", () => {
        this.choices[control.name] = valueOf(control);
        changed(control.name);
      });
    }
    this.offer(null);
    // Once the microphone is allowed, or something is plugged in.
    navigator.mediaDevices?.addEventListener("devicechange", () => this.dialog.open && this.fillDevices());
  }

  /**
   * Shows what can be chosen from now on.
   *
   * @param {import("./offer.js").Offer | null} server null before it has greeted
   */
  offer(server) {
    const languages = server?.languages?.length ? server.languages : COMMON_LANGUAGES;
    this.fill("voice", server?.voices ?? [], nameOfVoice);
    this.fill("language", languages, (code) => nameOf(code));
  }

  /**
   * Shows what ends the turn of whoever chooses no silence.
   *
   * @param {Parameters<typeof wordsOfSilence>} server
   */
  showSilence(...server) {
    const { usual, hint } = wordsOfSilence(...server);
    setText(/** @type {HTMLSelectElement} */ (byId("choose-silenceMs")).options[0], usual);
    showLine(byId("silence-hint"), hint);
  }

  /** The voice that would speak now; empty where there is none yet. */
  get voice() {
    const select = /** @type {HTMLSelectElement} */ (byId("choose-voice"));
    return select.value || (select.options[1]?.value ?? "");
  }

  async open() {
    // Names take a moment to come; until then there is at least what is always there.
    for (const name of ["microphone", "output"]) this.fill(name, []);
    this.dialog.showModal();
    await this.fillDevices();
  }

  /** Shows the devices that there are by now. */
  async fillDevices() {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    for (const [name, kind] of Object.entries({ microphone: "audioinput", output: "audiooutput" })) {
      // Before the microphone was allowed, devices have neither id nor name.
      const named = devices.filter((one) => one.kind === kind && one.deviceId && one.deviceId !== "default");
      const labels = new Map(named.map((one) => [one.deviceId, one.label || "Unnamed device"]));
      this.fill(name, [...labels.keys()], (id) => labels.get(id) ?? id);
    }
  }

  /**
   * @private
   * @param {string} name
   * @param {string[]} values
   * @param {(value: string) => string} [label]
   */
  fill(name, values, label = String) {
    const select = /** @type {HTMLSelectElement} */ (byId(`choose-${name}`));
    select.length = 1;
    select.append(...values.map((value) => new Option(label(value), value)));
    this.show(select);
  }

  /**
   * @private
   * @param {Control} control
   */
  show(control) {
    const chosen = this.choices[control.name];
    if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = chosen;
    else control.value = String(chosen);
    // What is not there is as if it was not chosen.
    if (control instanceof HTMLSelectElement && !control.selectedOptions.length) control.selectedIndex = 0;
    describe(control);
  }
}

/** @param {Control} control */
function describe(control) {
  const text = DESCRIPTIONS[control.name]?.(control.value);
  if (!text) return;
  setText(byId(`${control.name}-value`), text);
  control.setAttribute("aria-valuetext", text);
}

/** @param {Control} control */
function valueOf(control) {
  if (control.type === "checkbox") return /** @type {HTMLInputElement} */ (control).checked;
  return NUMBERS.has(control.name) ? Number(control.value) : control.value;
}

/**
 * A voice may be called by what it speaks.
 *
 * @param {string} voice
 */
function nameOfVoice(voice) {
  return /^[a-z]{2}(-|$)/.test(voice) ? nameOf(voice) : voice.charAt(0).toUpperCase() + voice.slice(1);
}

/**
 * What happens in a pause for whoever chooses nothing.
 *
 * @param {number | undefined} silenceMs that the server waits where pauses are not weighed, as far as that is known
 * @param {{at_work: string, endpointing: string} | undefined} endOfTurn whether they are
 * @returns {{usual: string, hint: string}} the name of that choice, and what there is to know beside it
 */
export function wordsOfSilence(silenceMs, endOfTurn) {
  if (!silenceMs || !endOfTurn) return { usual: "The usual one", hint: "" };
  const isWeighed = endOfTurn.endpointing === "adaptive" && endOfTurn.at_work;
  if (!isWeighed) return { usual: `${(silenceMs / 1000).toFixed(1)} s, default`, hint: "" };
  const hint =
    "You are answered sooner after what sounds finished, and later in the middle of a thought. " +
    "With a time of your own, every pause is measured by that alone.";
  return { usual: "Automatic, default", hint };
}
