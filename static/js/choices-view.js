/** The settings dialog: shows the choices, and tells when one of them changes. */

import { byId, dialogById, setText, showLine } from "./dom.js";
import { nameOf } from "./languages.js";

/** What the server can be asked for, in ms. */
const SILENCES = Array.from({ length: 12 }, (_, index) => String(200 * (index + 1)));

/** @type {Record<string, string>} */
const THEMES = { light: "Light", dark: "Dark" };

/** Offered where the recognizer takes any language. */
const COMMON_LANGUAGES = ["en", "es", "fr", "de", "it", "pt", "nl", "pl", "uk", "ru", "tr", "ar", "hi", "ja", "ko", "zh"];

export class ChoicesView {
  /**
   * @param {import("./choices.js").Choices} choices are changed in place
   * @param {{changed: (name: string) => void}} options
   */
  constructor(choices, { changed }) {
    this.choices = choices;
    this.changed = changed;
    this.dialog = dialogById("settings");
    this.fill("theme", Object.keys(THEMES), (theme) => THEMES[theme], "As the system");
    for (const name of ["microphone", "output", "voice", "language", "theme"]) this.bind(name, String);
    this.bind("silenceMs", Number);
    this.fill("silenceMs", SILENCES, seconds, "The usual one");
    this.bind("speed", Number, (value) => `${value} ×`);
    this.bind("volume", Number, (value) => `${Math.round(100 * Number(value))} %`);
    for (const name of /** @type {const} */ (["bargeIn", "muted", "timing"])) this.bindSwitch(name);
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
    this.fill("voice", server?.voices ?? [], nameOfVoice, "The usual one");
    const languages = server?.languages?.length ? server.languages : COMMON_LANGUAGES;
    this.fill("language", languages, (code) => nameOf(code), "As the server chooses");
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
    for (const name of ["microphone", "output"]) this.fill(name, [], String, "The usual one");
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
    select.replaceChildren(new Option(none, ""), ...values.map((value) => new Option(label(value), value)));
    const chosen = String(/** @type {any} */ (this.choices)[name]);
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
   * @param {"bargeIn" | "muted" | "timing"} name
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
  return /^[a-z]{2}(-|$)/.test(voice) ? nameOf(voice) : voice.charAt(0).toUpperCase() + voice.slice(1);
}

/** @param {string | number} ms */
function seconds(ms) {
  return `${(Number(ms) / 1000).toFixed(1)} s`;
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
  if (!isWeighed) return { usual: `${seconds(silenceMs)}, default`, hint: "" };
  return {
    usual: "Automatic, default",
    hint: "You are answered sooner after what sounds finished, and later in the middle of a thought. "
      + "With a time of your own, every pause is measured by that alone.",
  };
}
