/** What the server offers, as its greeting and its later words tell it. Pure. */

import { inWords } from "./languages.js";

/** @typedef {import("./protocol.js").Message & {limits: Set<string>}} Offer a greeting, and what is limited */

/** Infos about what the server does without. */
const LIMITS = new Set(["asr_fallback", "llm_synthetic"]);

/**
 * @param {Offer} offer is changed in place
 * @param {import("./protocol.js").Message} info
 * @returns {boolean} whether it is about what the server offers
 */
export function applyInfo(offer, info) {
  if (LIMITS.has(info.code)) {
    offer.limits.add(info.code);
    return true;
  }
  if (info.code !== "engines_changed") return false;
  const { asr, llm, voices, languages, synthetic, command } = info;
  const limits = new Set();
  if (synthetic) limits.add("llm_synthetic");
  if (command) limits.add("asr_fallback");
  Object.assign(offer, { asr, llm, voices, languages, limits });
  return true;
}

/**
 * What is limited, in one quiet line.
 *
 * @param {Offer} offer
 * @returns {string} empty where nothing is
 */
export function limitsOf({ limits, asr, languages }) {
  const parts = [];
  if (limits.has("llm_synthetic")) parts.push("No language model yet");
  if (limits.has("asr_fallback")) {
    const understands = inWords(languages);
    if (/^pocketsphinx\b/.test(asr)) parts.push("Simple recognizer, English only");
    else if (!understands) parts.push("A better recognizer can be had");
    else parts.push(parts.length ? understands : `Understands ${understands}`);
  }
  return parts.join(" · ");
}
