"""The language model that a person gave and wanted kept: a file of its own, that its owner alone may read.

All of it blocks.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import structlog

from voice_trio import installation
from voice_trio.config import Settings
from voice_trio.engines.openai_chat.given import GivenModel, GivenSettings, may_take_over
from voice_trio.private_files import make_folder, tighten

log = structlog.get_logger("voice_trio")

_NAME = "language_model.json"
_MOST_BYTES = 16_000


def keep(settings: Settings, given: GivenModel) -> None:
    """Keep ``given`` in the data folder, in the place of what is kept there. Raises `OSError`, and leaves that then."""
    path = _path(settings)
    make_folder(path.parent)
    # Made for its owner alone from the first byte on, and in its place only once it is whole.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{_NAME}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(given), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def forget(settings: Settings) -> None:
    """Keep none any more. Raises `OSError`."""
    _path(settings).unlink(missing_ok=True)


def with_kept(settings: Settings) -> Settings:
    """Return ``settings`` with the language model that is kept, if one is and the environment names no other.

    A file that cannot be used is told in the log, and left as it is.
    """
    path = Path(_NAME)
    try:
        path = _path(settings)
        tighten(path)
        with path.open("rb") as file:
            given = GivenModel.of(json.loads(file.read(_MOST_BYTES)))
    except (FileNotFoundError, NotADirectoryError):
        return settings
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        log.warning("the language model that was kept cannot be read", file=str(path), reason=reason)
        return settings
    if not may_take_over(settings):
        log.warning("the environment names a language model, so the one that was kept is not used", file=str(path))
        return settings
    return GivenSettings.beside(settings, given, kept=True)


def _path(settings: Settings) -> Path:
    """Return where it is kept. Raises `OSError` for somebody without a home."""
    try:
        return installation.data_dir(settings.data_dir) / _NAME
    except RuntimeError as error:
        raise FileNotFoundError(None, str(error)) from error
