"""``voice-trio replay``: is what was recorded still so?"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from voice_trio import log
from voice_trio.cli.output import plain, say
from voice_trio.journal import entries as e
from voice_trio.journal.compare import Difference, first_difference
from voice_trio.journal.read import SessionLog, read_session_log
from voice_trio.journal.replay import replay as live_again
from voice_trio.start import interrupt

_EXIT_DIFFERENT = 1
_LONGEST_LINE = 160


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--tolerance-ms",
    type=click.FloatRange(0, 60_000),
    default=100,
    show_default=True,
    help="By how much times may differ: a busy machine needs more, a session log in virtual time none.",
)
@click.option(
    "--context", type=click.IntRange(0, 1000), default=5, show_default=True, help="Lines to show before a difference."
)
def replay(file: Path, tolerance_ms: float, context: int) -> None:
    """Live the session recorded in FILE again, with the answers that it got then, and show the first difference.

    STREAM_RECORD_DIR has a server record its sessions. Time is virtual: minutes take milliseconds.

    Exits with 0 when all is the same, 1 at a difference, and 2 when FILE is no session log that can be replayed.
    """
    interrupt()
    log.configure("ERROR")
    session_log = read_session_log(file)
    say(*_about(session_log))
    began = time.perf_counter()
    replayed = live_again(session_log, tolerance_ms / 1000)
    took_s = time.perf_counter() - began
    say(f"replayed  in {took_s:.2f} s")
    difference = first_difference(session_log, replayed, tolerance_ms / 1000)
    if difference is None:
        say("equal")
        return
    say("", *_show(session_log, difference, context))
    sys.exit(_EXIT_DIFFERENT)


def _about(session_log: SessionLog) -> list[str]:
    header = session_log.header
    engines = f"recognizer {header.engines.asr}, language model {header.engines.llm}, voice {header.engines.tts}"
    lines = [
        f"recorded  {header.began} by voice_trio {header.version}, session {header.session}",
        f"          {session_log.lasts_s:.1f} s, {engines}",
    ]
    if session_log.torn:
        lines.append("note      Its last line was not written to the end, and is left out.")
    if session_log.end is None:
        last = session_log.entries[-1] if session_log.entries else None
        why = f": {last.why}" if isinstance(last, e.Stopped) else ""
        lines.append(f"note      It ends before its session does{why}. All until then is compared.")
    return lines


def _show(session_log: SessionLog, difference: Difference, context: int) -> list[str]:
    """Return lines with the ``context`` entries before ``difference``, and with what was and what is there."""
    before = [
        entry
        for entry in sorted(session_log.entries, key=lambda entry: entry.at)
        if entry.at <= difference.at and entry is not difference.then and not isinstance(entry, e.Answer)
    ]
    lines = [f"different after {difference.at:.3f} s: {difference.why}", ""]
    lines += [f"          {_line(entry)}" for entry in before[-context:] if context]
    lines.append(f"then      {_line(difference.then)}")
    lines.append(f"now       {_line(difference.now)}")
    return lines


def _line(entry: e.Entry | None) -> str:
    """Return ``entry`` in one line: when it was, who it is from, and what it says."""
    match entry:
        case None:
            return "nothing"
        case e.Audio(pcm=pcm):
            who, what = "client", f"audio, {len(pcm) // 2} samples"
        case e.Command(message=message):
            who, what = "client", _json(message)
        case e.Said(message=message):
            who, what = "session", _json(message)
        case e.Chunk():
            place = f"turn {entry.turn}, phrase {entry.phrase}, seq {entry.seq}, first sample {entry.first_sample}"
            who, what = "session", f"audio, {entry.samples} samples, {place}, crc32 {entry.crc32:08x}"
        case e.Ask(of=of):
            who, what = "session", f"asks to {of} {_json(entry.what)}"
        case e.End(how=how):
            who, what = "session", f"{how} {entry.close_code or ''} {entry.reason or ''}"
        case e.Answer(call=call):
            who, what = "engine", f"answers call {call}"
        case _:
            who, what = "client", entry.kind
    text = f"{entry.at:9.3f} s  {who:<8}{plain(what)}"
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 3] + "..."


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
