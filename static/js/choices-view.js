/** The settings dialog: shows the choices, and tells when one of them changes. */

import { byId, make } from "./dom.js";
import { nameOf } from "./languages.js";

/** Offered where the recognizer takes any language. */
const COMMON_LANGUAGES = ["en", "es", "fr", "de", "it", "pt", "nl", "pl", "uk", "ru", "tr", "ar", "hi", "ja", "ko", "zh"];

export class ChoicesView {
  /**
   * @param {import("./choices.js").Choices} choices are changed in place
   * @param {{changed: (name: string) => void, canChooseOutput: boolean}} options
   */
  constructor(choices, { changed, canChooseOutput }) {
    this.choices = choices;
    this.changed = changed;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("settings"));
    this.canChooseOutput = canChooseOutput;
    byId("choose-output-row").hidden = !canChooseOutput;
    for (const name of ["microphone", "output", "voice", "language"]) this.bind(name, String);
    this.bind("speed", Number, (value) => `${value} ×`);
    this.bind("silenceMs", Number, (value) => (Number(value) ? `${(Number(value) / 1000).toFixed(1)} s` : "the usual"));
    for (const name of /** @type {const} */ (["bargeIn", "timing"])) this.bindSwitch(name);
    this.offer(null);
    // A click on the dialog itself is one beside its content.
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /**
   * Shows what can be chosen from now on.
   *
   * @param {import("./offer.js").Offer | null} server null before it has greeted
   */
  offer(server) {
    this.fill("voice", server?.voices ?? [], nameOfVoice, "The usual one");
    const languages = server?.languages?.length ? server.languages : COMMON_LANGUAGES;
    this.fill("language", languages, (code) => nameOf(code), "As the server chooses");
  }

  /** The voice that would speak now; empty where there is none yet. */
  get voice() {
    const select = /** @type {HTMLSelectElement} */ (byId("choose-voice"));
    return select.value || (select.options[1]?.value ?? "");
  }

  async open() {
    // Names take a moment to come; until then there is at least what is always there.
    for (const name of ["microphone", "output"]) this.fill(name, [], String, "The usual one");
    this.dialog.showModal();
    await this.fillDevices();
  }

  /** @private */
  async fillDevices() {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    for (const [name, kind] of [
      ["microphone", "audioinput"],
      ["output", "audiooutput"],
    ]) {
      // Before the microphone was allowed, devices have neither id nor name.
      const named = devices.filter((one) => one.kind === kind && one.deviceId && one.deviceId !== "default");
      const labels = new Map(named.map((one) => [one.deviceId, one.label || "Unnamed device"]));
      this.fill(name, [...labels.keys()], (id) => labels.get(id) ?? id, "The usual one");
    }
  }

  /**
   * @private
   * @param {string} name
   * @param {string[]} values
   * @param {(value: string) => string} label
   * @param {string} none
   */
  fill(name, values, label, none) {
    const select = /** @type {HTMLSelectElement} */ (byId(`choose-${name}`));
    select.replaceChildren(
      ...["", ...values].map((value) => {
        const option = /** @type {HTMLOptionElement} */ (make("option", "", value ? label(value) : none));
        option.value = value;
        return option;
      }),
    );
    const chosen = /** @type {any} */ (this.choices)[name];
    select.value = values.includes(chosen) ? chosen : "";
  }

  /**
   * @private
   * @param {string} name
   * @param {(value: string) => string | number} read
   * @param {(value: string) => string} [describe]
   */
  bind(name, read, describe) {
    const input = /** @type {HTMLInputElement} */ (byId(`choose-${name}`));
    const choices = /** @type {any} */ (this.choices);
    const tell = () => {
      if (!describe) return;
      byId(`${name}-value`).textContent = describe(input.value);
      input.setAttribute("aria-valuetext", describe(input.value));
    };
    input.value = String(choices[name]);
    tell();
    input.addEventListener("input", tell);
    input.addEventListener("change", () => {
      choices[name] = read(input.value);
      this.changed(name);
    });
  }

  /**
   * @private
   * @param {"bargeIn" | "timing"} name
   */
  bindSwitch(name) {
    const input = /** @type {HTMLInputElement} */ (byId(`choose-${name}`));
    input.checked = this.choices[name];
    input.addEventListener("change", () => {
      this.choices[name] = input.checked;
      this.changed(name);
    });
  }
}

/**
 * A voice may be called by what it speaks.
 *
 * @param {string} voice
 */
function nameOfVoice(voice) {
  return /^[a-z]{2}(-|$)/.test(voice) ? nameOf(voice) : voice;
}
