"""Pictures as SVG: lines over time, and a waterfall of what came when. No more than the tools here need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#1f5fa8", "#c2571a", "#2e7d4f", "#8a3d8f", "#7a6a00", "#5c6670")
_INK, _FAINT, _PAPER = "#222222", "#d8dce0", "#ffffff"
_FONT = "font-family='system-ui, sans-serif' font-size='12'"


class Picture:
    """A drawing of ``width`` by ``height`` pixels; x grows to the right, y downwards."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:g} {height:g}' {_FONT} role='img'>",
            f"<title>{escape(title)}</title>",
        ]
        self.rect(0, 0, width, height, _PAPER)

    def rect(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        self._parts.append(f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{colour}'/>")

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, *, width: float = 1.5, dashed: bool = False
    ) -> None:
        """Join ``points``."""
        dash = " stroke-dasharray='5 4'" if dashed else ""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f"<polyline points='{joined}' fill='none' stroke='{colour}' stroke-width='{width}'{dash}/>")

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", colour: str = _INK, bold: bool = False
    ) -> None:
        """Write ``words`` on the line ``y``; ``anchor`` is start, middle or end."""
        weight = " font-weight='600'" if bold else ""
        self._parts.append(
            f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}'{weight}>{escape(words)}</text>"
        )

    def svg(self) -> str:
        """Return the file."""
        return "\n".join([*self._parts, "</svg>", ""])


# --- lines over time ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its name, and (time, value) pairs."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves over one pair of axes; values begin at 0."""

    title: str
    lines: Sequence[Line]


_WIDTH, _PANEL, _PLOT = 900.0, 150.0, 96.0
_LEFT, _RIGHT, _TOP = 70.0, 130.0, 40.0
_NOTE = 250.0


def over_time(title: str, panels: Sequence[Panel], unit: str) -> str:
    """Return a picture with ``panels`` one under the other, over the same time in ``unit``."""
    picture = Picture(_WIDTH, _TOP + _PANEL * len(panels) + 10, title)
    picture.text(_LEFT, 24, title, bold=True)
    times = [t for panel in panels for line in panel.lines for t, _ in line.points]
    first, last = (min(times), max(times)) if times else (0.0, 1.0)
    for index, panel in enumerate(panels):
        _draw_panel(picture, panel, _TOP + index * _PANEL, first, max(last, first + 1e-9), unit)
    return picture.svg()


def _draw_panel(picture: Picture, panel: Panel, top: float, first: float, last: float, unit: str) -> None:
    bottom = top + 20 + _PLOT
    most = max((value for line in panel.lines for _, value in line.points), default=0.0) or 1.0

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = _LEFT + (point[0] - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)
        return x, bottom - point[1] / most * _PLOT

    picture.text(_LEFT, top + 12, panel.title)
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * _PLOT
        picture.line([(_LEFT, y), (_WIDTH - _RIGHT, y)], _FAINT, width=1)
        picture.text(_LEFT - 6, y + 4, f"{share * most:.4g}", anchor="end")
    for at, anchor in ((first, "start"), (last, "end")):
        picture.text(place((at, 0))[0], bottom + 16, f"{at:.0f} {unit}", anchor=anchor)
    for number, line in enumerate(panel.lines):
        colour = COLOURS[number % len(COLOURS)]
        if line.points:
            picture.line([place(point) for point in line.points], colour, dashed=line.dashed)
        picture.text(_WIDTH - _RIGHT + 10, top + 30 + 16 * number, line.name, colour=colour)


# --- what came when -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One turn: its name, and the spans of it as (kind, from, to) in ms."""

    name: str
    spans: Sequence[tuple[str, float, float]]
    note: str = ""
    """Written behind the bar."""


def waterfall(title: str, rows: Sequence[Row], notes: Sequence[str] = ()) -> str:
    """Return a picture with a bar for each of ``rows`` over the same milliseconds, and ``notes`` below."""
    kinds = list(dict.fromkeys(kind for row in rows for kind, _, _ in row.spans))
    first = min((begin for row in rows for _, begin, _ in row.spans), default=0.0)
    last = max((end for row in rows for _, _, end in row.spans), default=1.0)
    top, step = 64.0, 30.0
    bottom = top + step * len(rows)
    picture = Picture(_WIDTH, bottom + 34 + 18 * len(notes), title)
    picture.text(_LEFT, 22, title, bold=True)
    x_key = _LEFT
    for number, kind in enumerate(kinds):
        picture.rect(x_key, 36, 12, 12, COLOURS[number % len(COLOURS)])
        picture.text(x_key + 18, 46, kind)
        x_key += 30 + 7 * len(kind)

    def place(ms: float) -> float:
        return _LEFT + (ms - first) / max(last - first, 1e-9) * (_WIDTH - _LEFT - _NOTE)

    tick = next(size for size in (100, 200, 500, 1000, 2000, 5000, 1 << 30) if (last - first) / size <= 12)
    at = -(-first // tick) * tick
    while at <= last:
        picture.line([(place(at), top - 6), (place(at), bottom)], _FAINT, width=1)
        picture.text(place(at), bottom + 16, f"{at:.0f}", anchor="middle")
        at += tick
    for number, row in enumerate(rows):
        y = top + number * step
        picture.text(_LEFT - 8, y + 15, row.name, anchor="end")
        end_of_all = max((end for _, _, end in row.spans), default=first)
        picture.text(place(end_of_all) + 8, y + 15, row.note)
        for kind, begin, end in row.spans:
            colour = COLOURS[kinds.index(kind) % len(COLOURS)]
            picture.rect(place(begin), y + 2, max(1.0, place(end) - place(begin)), step - 12, colour)
    for number, note in enumerate(notes):
        picture.text(_LEFT, bottom + 36 + 18 * number, note)
    return picture.svg()
