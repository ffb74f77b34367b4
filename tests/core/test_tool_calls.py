import pytest

from voice_trio.core.tools import Fragment, ToolCalls, WholeCall

LOOK, RING = WholeCall("a", "look", '{"at": 1}'), WholeCall("b", "ring", "{}")

FORMS = {
    "in fragments": ([Fragment(0, "a", "look"), Fragment(0, arguments='{"at"'), Fragment(0, arguments=": 1}")], [LOOK]),
    "two at once": (
        [
            Fragment(0, "a", "look"),
            Fragment(1, "b", "ring"),
            Fragment(0, arguments='{"at": '),
            Fragment(1, arguments="{}"),
            Fragment(0, arguments="1}"),
        ],
        [LOOK, RING],
    ),
    "whole": ([Fragment(0, "a", "look", '{"at": 1}'), Fragment(1, "b", "ring", "{}")], [LOOK, RING]),
    "whole, index 0 in all": ([Fragment(0, "a", "look", '{"at": 1}'), Fragment(0, "b", "ring", "{}")], [LOOK, RING]),
    "id and name in every fragment": (
        [Fragment(0, "a", "look", '{"at"'), Fragment(0, "a", "look", ": 1}")],
        [LOOK],
    ),
    "without ids and indexes": (
        [Fragment(name="look", arguments='{"at"'), Fragment(arguments=": 1}"), Fragment(name="ring")],
        [LOOK._replace(id="call_0"), RING._replace(id="call_1")],
    ),
    "an id that comes late": ([Fragment(0, name="look", arguments='{"at": 1}'), Fragment(0, "a")], [LOOK]),
    "no arguments": ([Fragment(0, "b", "ring", " ")], [RING]),
    "broken arguments": ([Fragment(0, "a", "look", '{"at')], [LOOK._replace(arguments='{"at')]),
    "no name": ([Fragment(0, "a", arguments="{}"), Fragment()], []),
}


@pytest.mark.parametrize(("fragments", "calls"), FORMS.values(), ids=FORMS)
def test_calls_are_put_together(fragments, calls):
    joined = ToolCalls()
    for fragment in fragments:
        joined.push(fragment)
    assert [*joined.whole()] == calls
