/** The small picture under a turn: what took how long, the server's account above the page's. */

import { draw, make } from "./dom.js";
import { rowsOf, scaleOf, seconds, summaryOf, ticksOf } from "./latency.js";

const WIDTH = 320;
const LANE = 22;
const LEFT = 48;

/**
 * @param {import("./turn.js").Turn} turn
 * @returns {HTMLElement} the summary, which opens to the picture and its figures
 */
export function latencyOf(turn) {
  const rows = rowsOf(turn.marks, turn.latency);
  const summary = summaryOf(rows, turn.silenceMs);
  return make("details", { class: "latency" }, make("summary", {}, summary), picture(rows, summary), table(rows));
}

/**
 * @param {import("./latency.js").Row[]} rows
 * @param {string} summary
 */
function picture(rows, summary) {
  const scale = scaleOf(rows);
  const x = (/** @type {number} */ ms) => LEFT + scale(ms) * (WIDTH - LEFT - 6);
  const bottom = 2 * LANE + 4;
  const label = `${summary}. The figures follow in a table.`;
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${bottom + 14}`, class: "bars", role: "img", "aria-label": label });
  for (const ms of ticksOf(rows)) {
    svg.append(draw("line", { x1: x(ms), x2: x(ms), y1: 0, y2: bottom, class: "tick" }));
    svg.append(draw("text", { x: x(ms), y: bottom + 12, "text-anchor": "middle" }, `${ms / 1000} s`));
  }
  for (const [lane, who] of /** @type {["server", "page"]} */ (["server", "page"]).entries()) {
    const y = lane * LANE + 5;
    svg.append(draw("text", { x: 0, y: y + 10 }, who));
    const points = rows.flatMap((row) => (row[who] === null ? [] : [{ name: row.name, ms: Math.max(0, row[who]) }]));
    points.sort((a, b) => a.ms - b.ms);
    let from = 0;
    for (const { name, ms } of points) {
      if (ms > from) {
        const width = Math.max(0.5, x(ms) - x(from));
        svg.append(draw("rect", { x: x(from), y, width, height: 12, class: `until-${name}` }));
      }
      from = ms;
    }
  }
  return svg;
}

/** @param {import("./latency.js").Row[]} rows */
function table(rows) {
  const head = ["moment", "server", "page"].map((text) => make("th", { scope: "col" }, text));
  const body = rows.map((row) => {
    const cells = [row.server, row.page].map((ms) => make("td", {}, ms === null ? "–" : seconds(ms)));
    return make("tr", {}, make("th", { class: `until-${row.name}`, scope: "row" }, row.label), ...cells);
  });
  return make("table", {}, make("tr", {}, ...head), ...body);
}
