/** The orb: takes the phase's shape, and follows the microphone while it listens and the answer while that sounds. */

import { byId } from "./dom.js";
import { isMoving, levelOf, orbOf } from "./orb-shape.js";

/** @typedef {import("./phase.js").Phase} Phase */

/** It swells at once and sinks slowly, as an eye expects of a voice: how much of the way, from picture to picture. */
const RISE = 0.5;
const SINK = 0.12;

export class OrbView {
  /** @param {() => number} output tells how loud the answer is at this moment, as the root of the mean square */
  constructor(output) {
    this.output = output;
    this.body = byId("orb-body");
    this.halo = byId("orb-halo");
    /** @type {Phase} */
    this.phase = "offline";
    /** How loud the microphone was last, as the root of the mean square. */
    this.input = 0;
    this.level = 0;
    this.isDrawing = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.still.addEventListener("change", () => this.wake());
    this.wake();
  }

  /** @param {Phase} phase */
  show(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.wake();
  }

  /** Draws once, and goes on from picture to picture for as long as the shape moves. @private */
  wake() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    this.draw(0);
  }

  /**
   * @private
   * @param {number} at in ms
   */
  draw(at) {
    const isStill = this.still.matches || !isMoving(this.phase);
    const heard = levelOf(this.phase === "answering" ? this.output() : this.input);
    this.level += (heard - this.level) * (heard > this.level ? RISE : SINK);
    if (isStill) this.level = 0;
    const { body, halo } = orbOf(this.phase, this.level, isStill ? 0 : at / 1000);
    this.body.setAttribute("d", body);
    this.halo.setAttribute("d", halo);
    // A page that nobody sees gets no pictures, and goes on when it is seen.
    this.isDrawing = !isStill;
    if (this.isDrawing) requestAnimationFrame((time) => this.draw(time));
  }
}
