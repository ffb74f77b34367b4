"""What ``voice-trio talk`` prints: for a person, or one JSON object a line for a program."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Protocol

from voice_trio.cli.output import plain, say, say_again, say_json, say_on
from voice_trio.core import messages as m
from voice_trio.wire import native

_LATENCIES = (
    ("first partial", "t_first_partial_ms", "the first word's start"),
    ("final transcript", "t_final_transcript_ms", "the last word's end"),
    ("first token", "t_first_token_ms", "the last word's end"),
    ("first audio", "t_first_audio_ms", "the last word's end"),
    ("last audio", "total_reply_ms", "the last word's end"),
)


_TOOL_CHARS = 150
"""Of a call of a tool, as it is shown in one line."""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TOOL_CHARS else f"{text[: _TOOL_CHARS - 1]}…"


class View(Protocol):
    """Shows a session's events, and keeps the reply's audio."""

    reply: bytearray
    """s16le mono."""
    sample_rate: int

    def show(self, event: m.Event) -> None:
        """Show ``event``."""

    def saved(self, path: Path, seconds: float) -> None:
        """The reply, so long, was written to ``path``."""

    def note(self, message: str) -> None:
        """Something that the person should know, and that no event says."""

    def closed(self, closed: BaseException) -> None:
        """The server ended the session before the turn was over."""


class JsonView:
    """One JSON object a line; a chunk's audio is given as its length in samples."""

    def __init__(self) -> None:
        self.reply = bytearray()
        self.sample_rate = 0

    def show(self, event: m.Event) -> None:
        """Print ``event`` as /ws spells it."""
        match event:
            case m.TtsChunk():
                self.reply += event.pcm
                fields = {name: getattr(event, name) for name in ("turn", "phrase", "seq", "first_sample")}
                self._print({"type": "tts_chunk", **fields, "samples": len(event.pcm) // 2})
                return
            case m.TtsPhrase():
                self.sample_rate = event.sample_rate
            case m.Reopened():
                self.reply.clear()
        say_json(str(native.encode_event(event)))

    def saved(self, path: Path, seconds: float) -> None:
        """Say where the reply is."""
        self._print({"type": "saved", "path": str(path)})

    def note(self, message: str) -> None:
        """Say it."""
        self._print({"type": "note", "message": message})

    def closed(self, closed: BaseException) -> None:
        """Say how the session ended."""
        self._print({"type": "closed", "reason": str(closed)})

    def _print(self, fields: dict[str, object]) -> None:
        say_json(json.dumps(fields, separators=(",", ":")))


class ConsoleView:
    """Labelled lines for a person. On a terminal, words still being recognised are rewritten as they change.

    What was heard is final only when something else follows: until then the person may turn out to have gone on.
    """

    def __init__(self, *, live: bool) -> None:
        self.reply = bytearray()
        self.sample_rate = 0
        self._live = live
        self._heard = ""
        self._final: str | None = None
        """What was heard, while its line may still be replaced."""
        self._stands = False
        """Whether a line with what was heard stands there for good."""
        self._turn = 0
        """The latest that was spoken; 0 for none."""
        self._answering = False

    def show(self, event: m.Event) -> None:
        """Print what a person would want to know of ``event``."""
        match event:
            case m.SessionOpened():
                self._line("session", f"recognizer {event.asr}, language model {event.llm}")
            case m.StateChanged(turn=turn, state=m.State.CAPTURING):
                if turn != self._turn and self._turn:
                    say()
                self._turn = turn
                self._heard = ""
            case m.Partial(keep=keep, text=text):
                self._heard = self._heard[:keep] + text
                self._hear("hearing", self._heard, last=False)
            case m.Final(text=text):
                self._final = text or "(nothing)"
                if self._live:
                    self._hear("heard", self._final, last=False)
            case m.Reopened():
                self._reopen()
            case m.Hold():
                self._line("paused", "somebody speaks into the answer")
            case m.Release():
                self._line("goes on", "that was not meant for us")
            case m.Token(text=text):
                self._settle()
                if not self._answering:
                    say_on(f"{'answer':<10}")
                    self._answering = True
                # What a reply says in a line of its own is not to look like one of ours.
                say_on(text.replace("\n", f"\n{'':<10}"))
            case m.ToolCalled(state=state, name=name, result=result) if state is not m.CallState.STARTED:
                self._line("tool", _short(f"{name} {event.arguments}: {result or state}"))
            case m.Timers(timers=timers):
                for one in timers:
                    self._line(one.kind, _short(f"{one.label or one.id} in {round(one.left_ms / 1000)} s"))
            case m.TtsPhrase(sample_rate=rate):
                self.sample_rate = rate
            case m.TtsChunk(pcm=pcm):
                self.reply += pcm
            case m.Error(code=code, message=message):
                self._line("error", f"{message} ({code})")
            case m.Info(code=m.InfoCode.ASR_FALLBACK, message=message, command=str(command)):
                self._line("note", f"{message} Better: {command}")
            case m.Info(message=message):
                self._line("note", message)
            case m.Done():
                self._finish(event)

    def saved(self, path: Path, seconds: float) -> None:
        """Say where the reply is."""
        self._line("saved", f"{path} ({seconds:.1f} s of speech)")

    def note(self, message: str) -> None:
        """Say it."""
        self._line("note", message)

    def closed(self, closed: BaseException) -> None:
        """Say how the session ended."""
        self._line("closed", str(closed))

    def _reopen(self) -> None:
        """The person had not finished: what was heard and answered is void."""
        self._heard = ""
        self.reply.clear()
        self._final = None
        if self._stands:
            self._stands = False
            self._line("note", "You went on speaking. What you said is heard anew, and answered anew.")

    def _settle(self) -> None:
        """What was heard is the last of it."""
        if self._final is not None:
            self._hear("heard", self._final, last=True)
            self._final = None
            self._stands = True

    def _finish(self, done: m.Done) -> None:
        why = ": somebody spoke into the answer" if done.outcome is m.Outcome.INTERRUPTED else ""
        self._line("done", f"{done.outcome}{why}")
        self._stands = False
        known = [(name, getattr(done.latency, field), since) for name, field, since in _LATENCIES]
        lines = [
            f"  {name:<17}{ms:>6} ms  after {since if done.turn == self._turn else 'the question'}"
            for name, ms, since in known
            if ms is not None
        ]
        if lines:
            say("", *lines, "")

    def _hear(self, label: str, text: str, *, last: bool) -> None:
        if not self._live:
            say(f"{label:<10}{text}")
            return
        # The line is rewritten in place, so it must not be wider than the terminal; the newest words matter.
        room = shutil.get_terminal_size().columns - 12
        text = plain(text)
        shown = text if last or len(text) <= room else "…" + text[1 - room :]
        say_again(f"{label:<10}{shown}", last=last)

    def _line(self, label: str, text: str) -> None:
        self._settle()
        if self._answering:
            say()
            self._answering = False
        say(f"{label:<10}{text}")
