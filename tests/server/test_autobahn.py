"""The cases of the Autobahn suite against the hardened server: `make autobahn` installs what they need."""

import asyncio

import pytest
import trio

from tests.server.echo import serving_echo

kosoku = pytest.importorskip("kosoku", reason="the Autobahn cases are not installed: make autobahn")
pytestmark = pytest.mark.real

NOT_OURS = ["9.*", "12.*", "13.*"]
"""Megabytes in a message, and compression: there is none of either here."""

CASES = 247


def run_cases(url):
    try:
        return asyncio.run(kosoku.run_fuzzingclient(url, exclude_cases=NOT_OURS, concurrency=4))
    except kosoku.FailureError as failed:
        return failed.results


async def test_autobahn_finds_no_failure():
    with trio.fail_after(240):
        async with serving_echo() as (url, connections):
            results = await trio.to_thread.run_sync(run_cases, url, abandon_on_cancel=True)
    wrong = [(case.case_id, case.behavior.value, case.behavior_close.value) for case in results if not case.passed]
    assert wrong == []
    assert len(results) == CASES
    assert "crashed" not in connections.incidents
