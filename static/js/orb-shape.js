/** The orb's outlines: each phase has one of its own, so that it is told from the others without colour. Pure. */

/** @typedef {import("./phase.js").Phase} Phase */

/** Of the button's own circle, in units of the picture, whose middle is 0. */
const RADIUS = 50;

/** How large the orb is at rest, in radii of the button: it swells to the button's edge and little farther. */
const REST = 0.84;

const POINTS = 120;

/** A whisper and a shout, in dB: where the orb begins to swell, and where it swells no more. */
const QUIET_DB = -55;
const LOUD_DB = -10;

/**
 * How far an outline lies from the middle, in radii of the button, at an angle in radians. `level` is 0 to 1 and
 * `time` in seconds; at a level and a time of 0 the outlines differ still.
 *
 * @typedef {(angle: number, level: number, time: number) => number} Outline
 */

/** @type {Outline} */
const none = () => 0;

/** @type {Outline} */
const circle = () => REST;

/** Breathes while it waits for a voice, and moves with the first sound of one. @type {Outline} */
const ring = (_angle, level, time) => REST * (0.92 + 0.03 * Math.sin(2 * time) + 0.12 * level);

/** A triangle without corners, which turns. @type {Outline} */
const trefoil = (angle, _level, time) => REST * (0.93 + 0.09 * Math.cos(3 * (angle - 0.5 * time)));

/** A square with round corners, from the curve that Gabriel Lamé described. @type {Outline} */
const square = (angle) => (REST * 0.9) / (Math.abs(Math.cos(angle)) ** 4 + Math.abs(Math.sin(angle)) ** 4) ** 0.25;

/** Softly uneven around the voice that is heard, and the more so the louder it is. @type {Outline} */
function swelling(angle, level, time) {
  const uneven = Math.sin(3 * angle + 2 * time) + 0.7 * Math.sin(5 * angle - 3 * time);
  return REST * 1.1 + level * (0.16 + 0.03 * uneven);
}

/** Eight of them, as long as the answer is loud. @type {Outline} */
function petals(angle, level, time) {
  return REST * 0.94 + 0.05 * level + (0.035 + 0.05 * level) * Math.cos(8 * angle + time);
}

/** @type {Outline} */
const petalsAround = (angle, level, time) => petals(angle, level, time) + 0.04 + 0.1 * level;

/** @type {Record<Phase, {body: Outline, halo: Outline, moves: boolean}>} */
const SHAPES = {
  offline: { body: circle, halo: none, moves: false },
  ready: { body: circle, halo: none, moves: false },
  opening: { body: circle, halo: none, moves: false },
  waiting: { body: ring, halo: none, moves: true },
  listening: { body: circle, halo: swelling, moves: true },
  thinking: { body: trefoil, halo: none, moves: true },
  answering: { body: petals, halo: petalsAround, moves: true },
  held: { body: square, halo: none, moves: false },
};

/**
 * @param {Phase} phase
 * @returns {boolean} whether its outline changes with time or with the level
 */
export function isMoving(phase) {
  return SHAPES[phase].moves;
}

/**
 * @param {Phase} phase
 * @param {number} level 0 to 1
 * @param {number} time in seconds
 * @returns {{body: string, halo: string}} outlines as an SVG path writes them; empty where there is none
 */
export function orbOf(phase, level, time) {
  const { body, halo } = SHAPES[phase];
  return { body: pathOf(body, level, time), halo: pathOf(halo, level, time) };
}

/**
 * @param {Outline} outline
 * @param {number} level
 * @param {number} time
 */
function pathOf(outline, level, time) {
  const points = [];
  for (let i = 0; i < POINTS; i += 1) {
    const angle = (2 * Math.PI * i) / POINTS;
    const radius = RADIUS * outline(angle, level, time);
    if (!radius) return "";
    points.push(`${(radius * Math.cos(angle)).toFixed(2)},${(radius * Math.sin(angle)).toFixed(2)}`);
  }
  return `M${points.join("L")}Z`;
}

/**
 * How loud something is to a person.
 *
 * @param {number} rms the root of the mean square, 0 to 1
 * @returns {number} 0 to 1
 */
export function levelOf(rms) {
  const db = 20 * Math.log10(rms || 1e-9);
  return Math.max(0, Math.min(1, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)));
}
