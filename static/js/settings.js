/** The settings, put together: what the person chooses in the dialog, and what the page does about it. */

import { Audio } from "./audio.js";
import { chime } from "./chime.js";
import { saveChoices } from "./choices.js";
import { ChoicesView } from "./choices-view.js";
import { byId, setText, showLine } from "./dom.js";
import { sentenceOf } from "./engines.js";
import { LevelTest } from "./level-test.js";
import { SamplePlayer } from "./sample-player.js";
import { showTheme } from "./theme.js";

/** Choices that go with a turn. */
const OF_TURNS = new Set(["voice", "speed", "language", "silenceMs", "bargeIn"]);

const MUTED = {
  title: "The voice is muted.",
  text: "Answers are only written, until the settings let them sound again.",
};

export class Settings {
  /**
   * @param {import("./choices.js").Choices} choices are changed in place
   * @param {{
   *   assistant: import("./assistant.js").Assistant,
   *   engines: import("./engines.js").Engines,
   * }} parts
   */
  constructor(choices, { assistant, engines }) {
    this.choices = choices;
    this.assistant = assistant;
    this.engines = engines;
    this.audio = assistant.client.audio;
    this.view = new ChoicesView(choices, { changed: (name) => this.change(name) });
    this.dialog = this.view.dialog;
    this.hear = /** @type {HTMLButtonElement} */ (byId("hear"));
    this.samples = this.makeSamples();
    this.test = new LevelTest(assistant.input.microphone, {
      isNeeded: () => this.isTalking,
      opened: () => this.view.fillDevices(),
    });
    this.bindOutput();
    byId("open-settings").addEventListener("click", () => {
      this.view.open();
      engines.load();
    });
    this.dialog.addEventListener("close", () => {
      this.samples.stop();
      this.test.stop();
      byId("talk").focus();
    });
    for (const name of ["muted", "timing"]) this.apply(name);
  }

  /** The server offers something else. */
  offer() {
    this.view.offer(this.assistant.session.server);
    this.hear.disabled = !this.view.voice;
    this.showSilence();
  }

  /** What weighs pauses may be another by now. */
  showSilence() {
    this.view.showSilence(this.assistant.session.server?.silence_ms, this.engines.list?.end_of_turn);
  }

  /** @private */
  makeSamples() {
    const { choices, engines, hear } = this;
    const trouble = byId("hear-trouble");
    const samples = new SamplePlayer(this.audio, (voice, signal) => engines.sample(voice, choices.language, signal));
    samples.onchange = () => setText(hear, samples.playing ? "Stop" : "Hear it");
    samples.onfail = (error) => showLine(trouble, sentenceOf(error));
    hear.hidden = !Audio.isPossible;
    hear.addEventListener("click", () => {
      showLine(trouble, "");
      if (samples.playing) samples.stop();
      else samples.play(this.view.voice);
    });
    return samples;
  }

  /** @private */
  bindOutput() {
    byId("choose-output-label").hidden = !Audio.canChoose;
    byId("choose-output-row").hidden = !Audio.isPossible;
    const said = byId("output-said");
    byId("test-output").addEventListener("click", async () => {
      setText(said, this.volume ? "Two notes sound now." : "It is muted, so nothing sounds.");
      const context = await this.audio.open();
      await chime(context, /** @type {GainNode} */ (this.audio.out));
      setText(said, "");
    });
  }

  /** @private */
  get isTalking() {
    return this.assistant.conversation.isBusy || this.assistant.isHandsFree;
  }

  /** @private */
  get volume() {
    return this.choices.muted ? 0 : this.choices.volume;
  }

  /**
   * @private
   * @param {string} name of the choice that is another now
   */
  change(name) {
    saveChoices(this.choices);
    this.apply(name);
    if (OF_TURNS.has(name)) this.assistant.heed();
    if (name === "output") this.audio.choose(this.choices.output);
    if (name === "microphone") {
      const { microphone } = this.assistant.input;
      microphone.device = this.choices.microphone;
      if (!this.isTalking) microphone.close();
      this.test.again();
    }
  }

  /**
   * @private
   * @param {string} name of a choice that the page follows from its beginning
   */
  apply(name) {
    const { theme, timing, muted } = this.choices;
    if (name === "theme") showTheme(theme);
    if (name === "timing") document.body.dataset.timing = String(timing);
    if (name === "muted") this.assistant.events.tell("notice", "muted", muted ? MUTED : null, "note");
    if (name === "muted" || name === "volume") this.audio.setVolume(this.volume);
  }
}
