/** Space talks and Escape silences, wherever that is not already something else's key. */

const TAKES_SPACE = "input, textarea, select, button, summary, a, dialog";

/**
 * @param {{
 *   talk: import("./talk-button.js").TalkButton,
 *   button: HTMLElement,
 *   silence: () => void,
 * }} actions
 */
export function listenToKeys({ talk, button, silence }) {
  /** @param {KeyboardEvent} event */
  const isOurs = (event) => {
    const target = /** @type {Element | null} */ (event.target instanceof Element ? event.target : null);
    return target === button || !target?.closest(TAKES_SPACE);
  };

  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      silence();
    }
    if (event.key !== " " || event.ctrlKey || event.altKey || event.metaKey || !isOurs(event)) return;
    event.preventDefault();
    if (!event.repeat) talk.down();
  });
  addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    if (isOurs(event)) event.preventDefault();
    talk.up();
  });
}
