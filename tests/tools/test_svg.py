"""The pictures are XML, hold what they are given, and keep inside their frame."""

import re
from xml.etree import ElementTree

import pytest

from tools.svg import Line, Panel, Row, over_time, waterfall

NASTY = "p50 <&> \"quoted\" 'so'"


def drawn(svg):
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.get("viewBox").split())
    return root, width, height


def points_of(root):
    return [
        tuple(map(float, pair.split(",")))
        for line in root.iter("{http://www.w3.org/2000/svg}polyline")
        for pair in line.get("points").split()
    ]


def texts_of(root):
    return [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("values", [[0, 0], [1, 1e9], [3.5], [], [-0.0, 1e-9]])
def test_lines_over_time_stay_inside(values):
    panel = Panel(NASTY, [Line(NASTY, list(enumerate(values))), Line("other", [], dashed=True)])
    root, width, height = drawn(over_time(NASTY, [panel, panel], "s"))
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points_of(root))
    assert texts_of(root).count(NASTY) == 1 + 2 * 2


def test_a_curve_that_rises_is_drawn_upwards():
    root, *_ = drawn(over_time("it", [Panel("it", [Line("it", [(0, 1), (10, 5)])])], "s"))
    (x1, y1), (x2, y2) = points_of(root)[-2:]
    assert x1 < x2
    assert y1 > y2


@pytest.mark.parametrize("rows", [[], [Row("one", [])], [Row(NASTY, [("speech", -4000, 0), ("silence", 0, 700)])] * 5])
def test_a_waterfall_stays_inside(rows):
    svg = waterfall(NASTY, rows, [NASTY])
    root, width, height = drawn(svg)
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(rect.get("x")) + float(rect.get("width")) <= width
        assert float(rect.get("y")) + float(rect.get("height")) <= height
    assert texts_of(root).count(NASTY) == 2 + sum(row.name == NASTY for row in rows)
    assert not re.search(r"nan|inf", svg)


def test_bars_are_as_long_as_what_they_stand_for():
    root, *_ = drawn(waterfall("it", [Row("one", [("a", 0, 100), ("b", 100, 400)], NASTY)]))
    short, long = [float(rect.get("width")) for rect in root.iter("{http://www.w3.org/2000/svg}rect")][-2:]
    assert long == pytest.approx(3 * short, abs=0.2)
