/** The small picture under a turn: what took how long, the server's account above the page's. */

import { make } from "./dom.js";
import { rowsOf, scaleOf, seconds, summaryOf, ticksOf } from "./latency.js";

const SVG = "http://www.w3.org/2000/svg";
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
  const details = make("details", "latency");
  details.append(make("summary", "", summary), picture(rows, summary), table(rows));
  return details;
}

/**
 * @param {import("./latency.js").Row[]} rows
 * @param {string} summary
 */
function picture(rows, summary) {
  const scale = scaleOf(rows);
  const x = (/** @type {number} */ ms) => LEFT + scale(ms) * (WIDTH - LEFT - 6);
  const bottom = 2 * LANE + 4;
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${bottom + 14}`, class: "bars", role: "img" });
  svg.setAttribute("aria-label", `${summary}. The figures follow in a table.`);
  for (const ms of ticksOf(rows)) {
    const label = draw("text", { x: x(ms), y: bottom + 12, "text-anchor": "middle" });
    label.textContent = `${ms / 1000} s`;
    svg.append(draw("line", { x1: x(ms), x2: x(ms), y1: 0, y2: bottom, class: "tick" }), label);
  }
  for (const [lane, who] of /** @type {["server", "page"]} */ (["server", "page"]).entries()) {
    const y = lane * LANE + 5;
    const label = draw("text", { x: 0, y: y + 10 });
    label.textContent = who;
    svg.append(label);
    const points = rows.flatMap((row) => (row[who] === null ? [] : [{ name: row.name, ms: Math.max(0, row[who]) }]));
    points.sort((a, b) => a.ms - b.ms);
    let from = 0;
    for (const { name, ms } of points) {
      if (ms > from) {
        svg.append(draw("rect", { x: x(from), y, width: Math.max(0.5, x(ms) - x(from)), height: 12, class: `until-${name}` }));
      }
      from = ms;
    }
  }
  return svg;
}

/** @param {import("./latency.js").Row[]} rows */
function table(rows) {
  const element = make("table", "");
  const head = make("tr", "");
  head.append(...["moment", "server", "page"].map((text) => make("th", "", text)));
  const body = rows.map((row) => {
    const line = make("tr", "");
    const name = make("th", `until-${row.name}`, row.label);
    name.setAttribute("scope", "row");
    const cells = [row.server, row.page].map((ms) => make("td", "", ms === null ? "–" : seconds(ms)));
    line.append(name, ...cells);
    return line;
  });
  for (const cell of head.children) cell.setAttribute("scope", "col");
  element.append(head, ...body);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
