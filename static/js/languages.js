/** Languages by their codes, in words. */

/**
 * @param {string} code ISO 639-1, or any other that a browser knows
 * @param {string} [inLanguage] that the name is in
 */
export function nameOf(code, inLanguage = navigator.language) {
  try {
    return new Intl.DisplayNames([inLanguage, "en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

const FEW = 3;

/**
 * Which languages a recognizer understands, in few words of English.
 *
 * @param {string[]} codes
 * @returns {string} empty where that is not known
 */
export function inWords(codes) {
  if (codes.length > FEW) return `${codes.length} languages`;
  const names = codes.map((code) => nameOf(code, "en"));
  return names.length ? `${names.join(" and ")} only` : "";
}
