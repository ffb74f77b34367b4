/** Light or dark, as the person has chosen. A module of its own, so that the first paint can wait for it alone. */

import { loadChoices } from "./choices.js";

/** @param {string} theme "light" or "dark"; empty goes with the system */
export function showTheme(theme) {
  document.documentElement.style.colorScheme = theme;
}

showTheme(loadChoices().theme);
