/** What the server offers, as its greeting and its later words tell it. Pure. */

/** @typedef {import("./protocol.js").Message & {limits: Set<string>}} Offer */

/** Infos about what the server does without, and the engine that this is true of. @type {Record<string, "asr" | "llm">} */
const LIMITS = { asr_fallback: "asr", llm_synthetic: "llm" };

/**
 * @param {import("./protocol.js").Message} greeting
 * @returns {Offer}
 */
export function offerOf(greeting) {
  return { ...greeting, limits: new Set() };
}

/**
 * @param {Offer} offer is changed in place
 * @param {import("./protocol.js").Message} info
 * @returns {boolean} whether it is about what the server offers
 */
export function applyInfo(offer, info) {
  if (info.code in LIMITS) {
    offer.limits.add(info.code);
    return true;
  }
  if (info.code !== "engines_changed") return false;
  const { asr, llm, voices, languages } = info;
  // What was said of an engine holds as long as that engine is at work.
  for (const [code, of] of Object.entries(LIMITS)) if (info[of] !== offer[of]) offer.limits.delete(code);
  Object.assign(offer, { asr, llm, voices, languages });
  return true;
}

/**
 * What is limited, in one quiet line.
 *
 * @param {Set<string>} limits
 * @returns {string} empty where nothing is
 */
export function limitsOf(limits) {
  const parts = [];
  if (limits.has("llm_synthetic")) parts.push("No language model yet");
  if (limits.has("asr_fallback")) parts.push("Simple recognizer");
  return parts.join(" · ");
}
