/** What the person has chosen, remembered in the browser. */

import { keep, recall } from "./kept.js";

/** One place for each server, which a token is meant for: an origin may have several, each under a path of its own. */
function place() {
  const folder = new URL(".", document.baseURI).pathname;
  return folder === "/" ? "voice_trio.choices" : `voice_trio.choices${folder}`;
}

const DEFAULTS = {
  microphone: "",
  output: "",
  /** 1 is as loud as the voice is; what is muted keeps it. */
  volume: 1,
  muted: false,
  voice: "",
  /** 1 is the voice's own pace. */
  speed: 1,
  /** 0 leaves it to the server. */
  silenceMs: 0,
  /** Speech interrupts the answer, hands-free. */
  bargeIn: true,
  language: "",
  /** How long it took stands under each answer. */
  timing: false,
  /** "light" or "dark"; empty goes with the system. */
  theme: "",
  token: "",
};

/** @typedef {typeof DEFAULTS} Choices */

/** @returns {Choices} */
export function loadChoices() {
  return { ...DEFAULTS, ...recall(place()) };
}

/** @param {Choices} choices */
export function saveChoices(choices) {
  keep(place(), choices);
}

/**
 * What of the choices goes into a request; what the server does not offer is left out.
 *
 * @param {Choices} choices
 * @param {{voices: string[], languages: string[]}} offer
 * @returns {{voice?: string, speed?: number, language?: string}}
 */
export function requestOf(choices, offer) {
  /** @type {{voice?: string, speed?: number, language?: string}} */
  const request = {};
  if (offer.voices.includes(choices.voice)) request.voice = choices.voice;
  if (choices.speed !== 1) request.speed = choices.speed;
  if (choices.language && (!offer.languages.length || offer.languages.includes(choices.language))) {
    request.language = choices.language;
  }
  return request;
}

/**
 * What goes with every turn: whether the person can see the page.
 *
 * @returns {{visible?: boolean}}
 */
export function seenHere() {
  const state = globalThis.document?.visibilityState;
  return state ? { visible: state === "visible" } : {};
}

/**
 * What goes with every spoken turn: what the browser is set up for, which a single word may well be in.
 *
 * @returns {{locale?: string}}
 */
export function spokenHere() {
  const locale = globalThis.navigator?.language;
  return locale ? { locale } : {};
}
