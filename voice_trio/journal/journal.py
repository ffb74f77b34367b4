"""Where a server's session logs are kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import trio

from voice_trio import private_files
from voice_trio.config import Settings
from voice_trio.core.errors import Mendable
from voice_trio.core.playout import Playout
from voice_trio.engines.base import Engines
from voice_trio.journal.file import SessionLogFile
from voice_trio.journal.recorded_session import RecordedSession
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.session.link import Link
from voice_trio.session.report import TurnReport
from voice_trio.session.settings import SessionSettings
from voice_trio.skills.alerts_kept import Alerts
from voice_trio.toolbox.base import ServerTool

WARNING = "Sessions are recorded, voices and words: STREAM_RECORD_DIR is set"


class CannotRecord(Mendable):
    """There is no place for session logs; the message says where it was to be, why, and what to do."""


class SessionLogs:
    """A folder with a file for each session, readable by nobody else."""

    def __init__(self, folder: Path) -> None:
        """Make ``folder``, if it is missing. Raises `CannotRecord`."""
        self.folder = folder
        self._one_thread = trio.CapacityLimiter(1)
        try:
            private_files.make_folder(folder)
            for earlier in folder.glob(f"{'[0-9]' * 8}-{'[0-9]' * 6}-{'[0-9a-f]' * 8}.jsonl"):
                private_files.tighten(earlier)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if isinstance(error, FileExistsError | NotADirectoryError):
                reason = "that is a file, not a folder"
            raise CannotRecord(
                f"Cannot record in {folder}: {reason}. Choose another folder with STREAM_RECORD_DIR, "
                "or record nothing by leaving it empty."
            ) from error

    def session(
        self,
        link: Link,
        *,
        settings: SessionSettings,
        engines: Callable[[], Engines],
        store: Store,
        tools: Callable[[], Sequence[ServerTool]],
        claims: Claims,
        alerts: Alerts | None = None,
        new_playout: Callable[[], Playout] | None = None,
        count: Callable[[TurnReport], None] = lambda turn: None,
    ) -> RecordedSession:
        """Return a session over ``link`` which is recorded while it runs."""
        began = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        file = SessionLogFile(self.folder / f"{began}-{secrets.token_hex(4)}.jsonl", one_thread=self._one_thread)
        return RecordedSession(
            link,
            settings=settings,
            engines=engines,
            store=store,
            tools=tools,
            claims=claims,
            alerts=alerts,
            new_playout=new_playout,
            count=count,
            note=file.note,
            keeping=file.keep,
        )


def record_folder(settings: Settings) -> Path | None:
    """Return where ``settings`` want session logs; None if they want none. Raises `CannotRecord`."""
    if not settings.record_dir:
        return None
    try:
        return Path(settings.record_dir).expanduser().absolute()
    except RuntimeError as error:
        raise CannotRecord(f"There is no home for {settings.record_dir}: choose another STREAM_RECORD_DIR.") from error
