"""Ends a session before each of its steps, in every way that it can end, and sees that it ends well.

    report = explore()                       the conversation in `scripted`
    report = explore(Scenario(talk, engines))     one of your own
    finding = try_one("cancel", 417)         a single case

docs/testing.md says what is checked.
"""

from voice_trio.testing.explorer.ends import ENDS, RESUMED, End, ends_of
from voice_trio.testing.explorer.exploration import (
    Finding,
    Numbering,
    Report,
    UnsoundScenario,
    explore,
    number,
    try_one,
)
from voice_trio.testing.explorer.link import ExploredLink
from voice_trio.testing.explorer.scenarios import SCENARIO, SCENARIOS, Scenario

__all__ = [
    "ENDS",
    "RESUMED",
    "SCENARIO",
    "SCENARIOS",
    "End",
    "ExploredLink",
    "Finding",
    "Numbering",
    "Report",
    "Scenario",
    "UnsoundScenario",
    "ends_of",
    "explore",
    "number",
    "try_one",
]
