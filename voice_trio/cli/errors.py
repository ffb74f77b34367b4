"""Which errors are for the person at the terminal, who needs a sentence and no traceback."""

from __future__ import annotations

from voice_trio.cli.forget import NothingToForget
from voice_trio.cli.output import CannotPrint
from voice_trio.client import CannotConnect
from voice_trio.config import ConfigError
from voice_trio.core.errors import first_leaf
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.whisper.names import ModelError
from voice_trio.journal.journal import CannotRecord
from voice_trio.journal.read import CannotReplay
from voice_trio.memory.base import CannotRemember, StoreError
from voice_trio.server.listening import CannotListen
from voice_trio.sound_file import CannotWrite, NotAudio

_MENDABLE = (
    CannotConnect,
    CannotListen,
    CannotLoad,
    CannotPrint,
    CannotRecord,
    CannotRemember,
    CannotReplay,
    CannotWrite,
    ConfigError,
    ModelError,
    NotAudio,
    NothingToForget,
    StoreError,
)


def sentence(group: BaseExceptionGroup[Exception]) -> str | None:
    """Return what to tell the person; None where ``group`` holds anything that is not theirs to mend."""
    mendable, rest = group.split(_MENDABLE)
    if mendable is None or rest is not None:
        return None
    return str(first_leaf(mendable)).rstrip(".") + "."
