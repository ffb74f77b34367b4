/** The timers, alarms and reminders that wait: a strip with a countdown and a button each. */

import { byId, make, setText, showEach } from "./dom.js";

/** @typedef {import("./protocol.js").Timer} Timer */

const TICK_MS = 1000;

export class TimersView {
  strip = byId("timers");
  /** What is shown of each, by id. @type {Map<string, TimerView>} */
  shown = new Map();
  /** @type {number | undefined} */
  ticking = undefined;

  /** @param {(id: string) => void} cancel */
  constructor(cancel) {
    this.cancel = cancel;
    document.addEventListener("visibilitychange", () => this.tick());
  }

  /** @param {Timer[]} timers all that wait */
  show(timers) {
    const now = performance.now();
    const ids = timers.map(({ id }) => id);
    showEach(this.strip, this.shown, ids, (id, place) => new TimerView(timers[place], () => this.cancel(id)));
    for (const { id, left_ms: left } of timers) /** @type {TimerView} */ (this.shown.get(id)).dueAt = now + left;
    this.strip.hidden = !timers.length;
    this.tick();
  }

  /** Shows how long it is, and again in a second, for as long as anybody can see it. @private */
  tick() {
    clearTimeout(this.ticking);
    if (document.hidden || !this.shown.size) return;
    const now = performance.now();
    for (const view of this.shown.values()) setText(view.left, countdown(view.dueAt - now));
    const next = Math.min(...[...this.shown.values()].map(({ dueAt }) => rest(dueAt - now)));
    this.ticking = setTimeout(() => this.tick(), next);
  }
}

class TimerView {
  /**
   * @param {Timer} timer
   * @param {() => void} cancel
   */
  constructor(timer, cancel) {
    const name = timer.label || { timer: "Timer", alarm: "Alarm", reminder: "Reminder" }[timer.kind];
    // Read to who asks for it, and never announced: it changes each second.
    this.left = make("span", { class: "left", role: "timer", "aria-live": "off" });
    const words = make("span", { class: "name" }, name);
    const label = `Cancel: ${name}`;
    const button = make("button", { class: "quiet cancel", type: "button", "aria-label": label, onclick: cancel }, "×");
    /** When it is due, on the page's clock. */
    this.dueAt = 0;
    this.element = make("li", { class: `timer ${timer.kind}` }, words, this.left, button);
  }
}

/**
 * As long as there is a part of a second left, it counts.
 *
 * @param {number} leftMs
 * @returns {string} such as 9:59, or 1:00:00
 */
export function countdown(leftMs) {
  const seconds = Math.max(0, Math.ceil(leftMs / TICK_MS));
  const minutes = Math.floor(seconds / 60);
  const parts = seconds >= 3600 ? [Math.floor(minutes / 60), minutes % 60, seconds % 60] : [minutes, seconds % 60];
  return parts.map((part, place) => String(part).padStart(place ? 2 : 1, "0")).join(":");
}

/**
 * @param {number} leftMs
 * @returns {number} ms until another countdown is shown
 */
function rest(leftMs) {
  return leftMs > 0 ? leftMs % TICK_MS || TICK_MS : TICK_MS;
}
