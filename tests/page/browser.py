"""A real browser with a recording for a microphone and a recorder for a loudspeaker."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Playwright, WebSocket, sync_playwright

from voice_trio.core import messages as m
from voice_trio.wire.native_caller import NativeCaller

CHROMIUM = Path("/usr/bin/chromium")
RECORDER = Path(__file__).with_name("recorder.js")
MICROPHONE = Path(__file__).with_name("microphone.js")

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    # Names lead here, so that a page can be had whose address is not this machine's own.
    "--host-resolver-rules=MAP voice.test 127.0.0.1",
]

_WORKLET = """
registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([channels]) {
    if (channels.length) this.port.postMessage({ frame: currentFrame, samples: channels[0].slice() });
    return true;
  }
});
"""

_TAKE = """
() => {
  const { rate, blocks, escapedAt } = window.heard;
  const first = blocks[0]?.frame ?? 0;
  const last = blocks.at(-1);
  const all = new Float32Array(last ? last.frame + last.samples.length - first : 0);
  for (const { frame, samples } of blocks) all.set(samples, frame - first);
  const bytes = new Uint8Array(Int16Array.from(all, (one) => Math.round(one * 32767)).buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return { rate, first, escapedAt: escapedAt ?? null, pcm: btoa(text) };
}
"""

Samples = NDArray[np.float64]


@dataclass
class Heard:
    """What came out of the loudspeaker."""

    rate: int
    samples: Samples
    """From the first sound to the last, -1 to 1."""
    after_escape_s: float | None
    """How long there was sound after Escape was pressed."""


@dataclass
class Visit:
    """A page, and what passed over its socket."""

    page: Page
    events: list[m.Event] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    audio: list[int] = field(default_factory=list)
    """How many bytes each piece of the voice had that was sent."""
    trouble: list[str] = field(default_factory=list)
    """What the browser's console complained about."""

    def phase(self, name: str, seconds: float = 15) -> None:
        """Wait until the page says that it is in that phase."""
        self.page.wait_for_selector(f"body[data-phase={name}]", timeout=seconds * 1000)

    def over(self, turns: int = 1, seconds: float = 25) -> None:
        """Wait until so many turns have been answered and heard to their end."""
        self.page.wait_for_function(
            "n => document.querySelectorAll('.latency').length >= n", arg=turns, timeout=seconds * 1000
        )

    def switch(self, name: str, *, on: bool = True) -> None:
        """Turn a switch on, or off, by what is seen of it, once it has come to rest and nothing lies over it."""
        self.page.set_checked(f"label:has(#{name})", on)

    def listen(self, seconds: float = 15) -> None:
        """Have the page listen hands-free, once it is ready; wait so long for either."""
        self.phase("ready", seconds)
        self.switch("hands-free")
        self.phase("listening", seconds)

    def say(self, pcm: bytes) -> None:
        """Say ``pcm``, s16le mono at 16 kHz, into a microphone in a room; return when it is said."""
        file = io.BytesIO()
        soundfile.write(file, np.frombuffer(pcm, "<i2"), 16_000, "PCM_16", format="WAV")
        self.page.evaluate("file => window.speakInto(file)", base64.b64encode(file.getvalue()).decode())

    def all(self, kind: type[Any]) -> list[Any]:
        """Return the server's events of ``kind``."""
        return [event for event in self.events if isinstance(event, kind)]

    def spoken(self) -> tuple[Samples, int]:
        """Return all speech that the server sent, and its rate."""
        pcm = b"".join(chunk.pcm for chunk in self.all(m.TtsChunk))
        return np.frombuffer(pcm, "<i2") / 32768, self.all(m.TtsPhrase)[0].sample_rate

    def ran_dry(self) -> bool:
        """Return whether sound came later than it was due."""
        return bool(
            self.page.evaluate("performance.getEntriesByType('mark').some(({name}) => name.endsWith('ran_dry'))")
        )

    def heard(self) -> Heard:
        """Return what was recorded so far."""
        taken = self.page.evaluate(_TAKE)
        samples = np.frombuffer(base64.b64decode(taken["pcm"]), "<i2") / 32768
        sounding = np.flatnonzero(samples)
        assert len(sounding), "nothing was heard"
        first, last = sounding[0], sounding[-1] + 1
        after = taken["escapedAt"]
        if after is not None:
            after = (taken["first"] + last) / taken["rate"] - after
        return Heard(taken["rate"], samples[first:last], after)


class Browsers:
    """Browsers that stay for the next visit that wants one like them: to start one takes longer than most visits do.

    A visit has a context of its own in it, so it finds nothing that another has left.
    """

    ROOM = 2
    """One with a microphone, one without."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._open: dict[tuple[str, ...], Browser] = {}

    def get(self, flags: tuple[str, ...]) -> Browser:
        """Return one with those flags; the one that has not been asked for the longest makes room for it."""
        browser = self._open.pop(flags, None)
        if browser is None:
            if len(self._open) == self.ROOM:
                self._open.pop(next(iter(self._open))).close()
            browser = self._playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(flags))
        self._open[flags] = browser
        return browser

    def close(self) -> None:
        """Close them all."""
        for browser in self._open.values():
            browser.close()


_kept: list[Browsers] = []
"""The one place for them, inside `keeping_browsers`."""


@contextmanager
def keeping_browsers() -> Iterator[None]:
    """Have browsers for visits for as long as the block runs."""
    with sync_playwright() as playwright:
        browsers = Browsers(playwright)
        _kept.append(browsers)
        try:
            yield
        finally:
            _kept.remove(browsers)
            browsers.close()


@contextmanager
def visiting(
    url: str,
    microphone: Path | None = None,
    *,
    rate: int | None = None,
    room: bool = False,
    record: bool = False,
    allowed: bool = True,
    worklets: bool = True,
    recorder: bool = True,
    script: str = "",
    **context: Any,
) -> Iterator[Visit]:
    """Open the page at ``url`` with the recording ``microphone`` as what is said, on a device of ``rate`` Hz.

    With ``room`` the microphone stands in a quiet room instead, where only `Visit.say` speaks, whenever the test likes.
    Only with ``record`` can the visit tell what was heard; the page's content policy is then not in force. Without
    ``worklets`` or ``recorder`` the browser has no AudioWorklet, or no MediaRecorder. ``script`` runs before those
    of the page. Visits are one at a time, inside `keeping_browsers`. Conditions that are waited for are functions:
    the content policy lets an expression be looked at only once.
    """
    flags = [*_FLAGS, "--use-fake-ui-for-media-stream" if allowed else "--deny-permission-prompts"]
    if microphone:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    browser = _kept[-1].get(tuple(flags))
    try:
        # A worker would ask for all files of the page once more, each time.
        usual = {"viewport": {"width": 900, "height": 800}, "bypass_csp": record, "service_workers": "block"}
        page = browser.new_page(**{**usual, **context})
        page.set_default_timeout(20_000)
        visit = Visit(page)
        page.on("websocket", lambda socket: _tap(visit, socket))
        page.on("pageerror", lambda error: visit.trouble.append(str(error)))
        page.on("console", lambda said: visit.trouble.append(said.text) if said.type == "error" else None)
        worklet = _WORKLET if record else None
        page.add_init_script(f"window.forcedRate = {json.dumps(rate)}; window.recorderWorklet = {json.dumps(worklet)};")
        if room:
            # Before the recorder, which takes each context after it for the page's own.
            page.add_init_script(path=MICROPHONE)
        page.add_init_script(path=RECORDER)
        page.add_init_script(script)
        if not worklets:
            page.add_init_script("delete window.AudioWorkletNode; delete BaseAudioContext.prototype.audioWorklet;")
        if not recorder:
            page.add_init_script("delete window.MediaRecorder;")
        page.goto(url)
        yield visit
    finally:
        # Also those of pages that a test has opened beside its own.
        for opened in browser.contexts:
            opened.close()


def _tap(visit: Visit, socket: WebSocket) -> None:
    caller = NativeCaller()

    def received(data: str | bytes) -> None:
        visit.events.extend(caller.decode(data))

    def sent(data: str | bytes) -> None:
        if isinstance(data, str):
            visit.sent.append(json.loads(data))
        else:
            visit.audio.append(len(data))

    socket.on("framereceived", received)
    socket.on("framesent", sent)


def write_speech(path: Path, *parts: Path | float) -> Path:
    """Write a recording made of others and of seconds of (all but) silence, as a microphone would give it."""
    noise = np.random.default_rng(0)
    pieces: list[Samples] = []
    for part in parts:
        if isinstance(part, Path):
            samples, rate = soundfile.read(part)
            assert rate == 16_000
            pieces.append(samples)
        else:
            pieces.append(noise.normal(0, 1e-4, int(part * 16_000)))
    soundfile.write(path, np.concatenate(pieces), 16_000, "PCM_16")
    return path
