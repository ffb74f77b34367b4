"""A remote recognizer at far ends that do as they are told."""

from contextlib import asynccontextmanager

import trio

from tests.engines.far_end import far_server
from voice_trio import config
from voice_trio.engines.remote.address import far_ends, remote_of
from voice_trio.engines.remote.asking import HttpHearer
from voice_trio.engines.remote.ends import FarEnds
from voice_trio.engines.remote.http import open_http
from voice_trio.engines.remote.recognizer import RemoteRecognizer, Ways
from voice_trio.entry_points import Kind

SECOND = bytes(range(256)) * 125
"""A second of audio."""


@asynccontextmanager
async def recognizer(*urls, local=None, **options):
    """A remote recognizer of ``urls``."""
    settings = config.load(asr_url=",".join(urls), **{"remote_attempt_s": 5.0, **options})
    remote = remote_of(Kind.RECOGNIZER, settings)
    async with open_http(remote, settings) as http:
        ends = FarEnds(far_ends(remote), attempt_s=settings.remote_attempt_s, stands_by=local is not None)
        yield RemoteRecognizer(
            Ways(ends, HttpHearer(http, remote.model), local, settings.remote_partials == "on", settings.asr_timeout_s)
        )


@asynccontextmanager
async def utterance_of(*script, language="en", local=None, **settings):
    """A second of an utterance, at a far end that answers as ``script`` says."""
    with trio.fail_after(30):
        async with (
            far_server(*script) as server,
            recognizer(server.url, local=local, **settings) as remote,
            remote.open(language) as utterance,
        ):
            utterance.feed(SECOND)
            yield server, utterance
