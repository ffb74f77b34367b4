"""The spoken replies of ``talk``, a file each: the first is called as was asked for, the others after it."""

from __future__ import annotations

from pathlib import Path

from voice_trio import sound_file
from voice_trio.cli.talk_view import View


class Replies:
    """Writes them to ``path``, and beside it with -2, -3 and so on before the ending."""

    def __init__(self, path: Path) -> None:
        """Raises `CannotWrite` where that could not be done."""
        sound_file.check_writable(path)
        self._path = path
        self._count = 0

    def keep(self, view: View) -> None:
        """Write what ``view`` has of a reply, if there is any, and have it tell. Raises `CannotWrite`."""
        pcm = bytes(view.reply)
        view.reply.clear()
        if not pcm:
            return
        self._count += 1
        path = self._path if self._count == 1 else self._path.with_stem(f"{self._path.stem}-{self._count}")
        sound_file.write(path, pcm, view.sample_rate)
        view.saved(path, len(pcm) / 2 / view.sample_rate)
