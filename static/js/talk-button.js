/**
 * The large control: a short press talks until silence, a long one as long as it is held. Space does the same.
 *
 * Which of the two it is, is known only at the end of a short press, but the microphone is opened, and listened to,
 * from the press on: nothing that is said is lost.
 */

/** A press that lasts longer is held. */
const HOLD_MS = 350;

export class TalkButton {
  /**
   * @param {HTMLButtonElement} button
   * @param {{
   *   press: (mode: Promise<"tap" | "hold">) => boolean,
   *   letGo: () => void,
   * }} actions `press` returns whether the press began something that a release can end
   */
  constructor(button, actions) {
    this.actions = actions;
    /** @type {((mode: "tap" | "hold") => void) | null} */
    this.settle = null;
    this.isDown = false;
    this.isHeld = false;
    /** @type {number | undefined} */
    this.timer = undefined;

    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.down();
    });
    for (const event of ["pointerup", "pointercancel"]) button.addEventListener(event, () => this.up());
    // A long touch would open a menu.
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    // Enter, and the press of a screen reader, are clicks without a pointer; a mouse's click was dealt with above.
    button.addEventListener("click", (event) => {
      if (event.detail === 0 && !this.isDown) {
        this.down();
        this.up();
      }
    });
    addEventListener("blur", () => this.up());
  }

  down() {
    if (this.isDown) return;
    this.isDown = true;
    this.isHeld = false;
    const mode = new Promise((resolve) => (this.settle = resolve));
    if (!this.actions.press(mode)) {
      this.settle = null;
      return;
    }
    this.timer = setTimeout(() => {
      this.isHeld = true;
      this.settle?.("hold");
    }, HOLD_MS);
  }

  up() {
    if (!this.isDown) return;
    this.isDown = false;
    clearTimeout(this.timer);
    if (!this.settle) return;
    if (this.isHeld) this.actions.letGo();
    else this.settle("tap");
    this.settle = null;
  }
}
