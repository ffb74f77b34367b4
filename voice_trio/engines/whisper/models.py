"""Whisper models on disk: what a name means, whether its weights are here, how they come here.

A model is a folder that CTranslate2 and faster-whisper can load without asking anybody:

    model.bin  config.json  tokenizer.json  vocabulary.json (or .txt)  [preprocessor_config.json]

Downloaded models live in the cache that Hugging Face's tools share (HF_HUB_CACHE, HF_HOME). There a file appears in
its snapshot folder only when it is whole, so a snapshot in which every file is present is a finished download.

Only `download` touches the network. `find` and `list_models` read a few directory entries and import nothing heavy, so
that a server decides in milliseconds which recognizer it starts with.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

REPOSITORIES = {
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "medium.en": "Systran/faster-whisper-medium.en",
    "medium": "Systran/faster-whisper-medium",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
"""Size to repository, as faster-whisper has them. Repeated here because importing faster-whisper takes 0.4 s."""

COMPUTE_TYPES = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
)
"""What CTranslate2 computes in. The weights are stored in one type and converted to this one when they are loaded."""

_NEEDED = (("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt"))
"""The files of a whole model, with their alternatives. faster-whisper would fetch a tokenizer that is not there."""

_WANTED = ["model.bin", "config.json", "tokenizer.json", "vocabulary.*", "preprocessor_config.json"]
_CONNECT_S = 5.0
"""Limit for the model store's first answer: a person is waiting for the sentence that says what is wrong."""

Progress = Callable[[int, int], None]
"""Told bytes on disk so far and bytes in all, from any thread, often."""


class ModelError(Exception):
    """A model cannot be used or fetched; the message is one sentence for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class ModelName:
    """What STREAM_MODEL_WHISPER asks for: a known size, or a folder."""

    compute_type: str
    """As CTranslate2 has it; ``default`` keeps what the weights are stored in."""
    size: str | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A known size of Whisper, and where it is on this disk."""

    size: str
    repository: str
    path: Path | None
    """None where it has not been downloaded, or not to the end."""
    size_bytes: int
    """Bytes on disk; 0 where ``path`` is None."""


def parse(name: str) -> ModelName:
    """Return what ``name`` means: ``small-int8``, ``large-v3-float16``, or the path of a folder.

    A folder is a name with a path separator in it, or one that exists. Raises `ModelError` for anything unknown.
    """
    if os.sep in name or name.startswith("~") or os.path.isdir(name):
        return ModelName("default", folder=Path(os.path.expanduser(name)))
    if name in REPOSITORIES:
        raise ModelError(f"Whisper model {name!r} names no compute type: try {name}-int8")
    size, _, compute_type = name.rpartition("-")
    if size not in REPOSITORIES:
        raise ModelError(
            f"Whisper model {name!r} is unknown: give a size and a compute type such as small-int8 "
            f"(sizes: {', '.join(REPOSITORIES)}), or the path of a folder with a model in it"
        )
    if compute_type not in COMPUTE_TYPES:
        raise ModelError(
            f"Whisper model {name!r} has an unknown compute type {compute_type!r}: "
            f"use one of {', '.join(COMPUTE_TYPES)}"
        )
    return ModelName(compute_type, size=size)


def find(name: str) -> Path | None:
    """Return the folder with ``name``'s weights, or None where they have not been downloaded.

    Raises `ModelError` where the name is unknown, or is a folder without a whole model in it.
    """
    model = parse(name)
    if model.folder is None:
        return _downloaded(REPOSITORIES[model.size or ""])
    if not os.path.isdir(model.folder):
        raise ModelError(f"{model.folder} is not a folder, so there is no Whisper model in it")
    missing = _missing(model.folder)
    if missing is not None:
        raise ModelError(f"the folder {model.folder} is no Whisper model for CTranslate2: {missing} is missing")
    return model.folder


def list_models() -> list[Model]:
    """Return every known size, with its place on this disk where it is present."""
    models = []
    for size, repository in REPOSITORIES.items():
        path = _downloaded(repository)
        total = sum(file.stat().st_size for file in path.iterdir() if file.is_file()) if path else 0
        models.append(Model(size, repository, path, total))
    return models


def download(name: str, progress: Progress | None = None) -> Path:
    """Fetch ``name``'s weights and return their folder; blocks, and returns at once where they are present.

    A download that was broken off is continued. Raises `ModelError`.
    """
    model = parse(name)
    if model.size is None:
        raise ModelError(f"{name} is a folder on this machine, so there is nothing to download")
    present = find(name)
    if present is not None:
        return present
    return _fetch(name, model.size, progress or (lambda done, total: None))


def cache_dir() -> Path:
    """Return where Hugging Face's tools keep what they download, by the rules they share."""
    env = os.environ
    home = env.get("HF_HOME") or os.path.join(env.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    hub = env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return Path(os.path.expandvars(os.path.expanduser(hub)))


def _downloaded(repository: str) -> Path | None:
    """Return the finished snapshot of ``repository``, the current one before older ones."""
    root = cache_dir() / f"models--{repository.replace('/', '--')}"
    try:
        current = (root / "refs" / "main").read_text().strip()
    except OSError:
        current = ""
    try:
        snapshots = sorted((root / "snapshots").iterdir(), key=lambda path: path.name != current)
    except OSError:
        return None
    return next((path for path in snapshots if path.is_dir() and _missing(path) is None), None)


def _missing(folder: Path) -> str | None:
    """Return the name of the first file that a model in ``folder`` lacks, or None where it is whole."""
    for names in _NEEDED:
        # An empty file is a copy that was broken off; a link whose target is gone is no file at all.
        if not any(os.path.isfile(folder / name) and (folder / name).stat().st_size for name in names):
            return names[0]
    return None


def _fetch(name: str, size: str, progress: Progress) -> Path:
    # Imported here: 0.2 s that only a download needs.
    import httpx2
    from huggingface_hub import HfApi, close_session, constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its advice about accounts is not for here
    repository = REPOSITORIES[size]
    endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
    folder = cache_dir()
    try:
        # Asked first, and with a deadline, because the library's own requests for this wait without one.
        info = HfApi(endpoint=endpoint).model_info(repository, timeout=_CONNECT_S, files_metadata=True)
        wanted = [file for file in info.siblings or [] if any(fnmatch(file.rfilename, name) for name in _WANTED)]
        total = sum(file.size or 0 for file in wanted)
        free = _free_bytes(folder)
        if free < total:
            raise ModelError(f"{name} needs {_mb(total)} and {folder} has only {_mb(free)} free")
        progress(0, total)
        path = snapshot_download(
            repository,
            endpoint=endpoint,
            cache_dir=folder,
            allow_patterns=_WANTED,
            etag_timeout=_CONNECT_S,
            tqdm_class=_reporter(progress, total),
        )
    except OfflineModeIsEnabled:
        raise ModelError(f"{name} cannot be downloaded while HF_HUB_OFFLINE is set") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise ModelError(f"{name} cannot be downloaded: {endpoint} answered HTTP {status}") from error
    except httpx2.TimeoutException as error:
        raise ModelError(f"{name} cannot be downloaded: {endpoint} does not answer") from error
    except httpx2.HTTPError as error:
        raise ModelError(f"{name} cannot be downloaded: no connection to {endpoint}") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ModelError(f"{name} cannot be downloaded: the disk with {folder} is full") from error
        if error.errno is not None:
            raise ModelError(f"{name} cannot be saved in {folder}: {error.strerror}") from error
        raise ModelError(f"{name} cannot be downloaded: the connection to {endpoint} failed") from error
    except (RuntimeError, ValueError) as error:
        # What the library's transfer module raises for a transfer that broke, and for an answer that is no answer.
        raise ModelError(f"{name} cannot be downloaded from {endpoint} ({type(error).__name__})") from error
    finally:
        close_session()
    missing = _missing(Path(path))
    if missing is not None:
        raise ModelError(f"{name} cannot be used: the download from {endpoint} holds no {missing}")
    return Path(path)


def _reporter(progress: Progress, total: int) -> type[Any]:
    """Return a progress bar class that draws nothing and reports the bytes that any bar of it counts."""
    from tqdm import tqdm

    most = 0

    class Reporter(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # no watching thread for a bar that is not drawn

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._bytes = kwargs.get("unit") == "B"
            super().__init__(*args, **{**kwargs, "disable": False, "file": _Nowhere()})

        def update(self, n: float | None = 1) -> Any:
            drawn = super().update(n)
            if self._bytes:
                # Several bars count the same bytes, on their way and on the disk, and not in step.
                nonlocal most
                most = max(most, min(int(self.n), total))
                progress(most, total)
            return drawn

    return Reporter


class _Nowhere:
    """A stream that forgets."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def _free_bytes(folder: Path) -> int:
    """Return the space left on the disk on which ``folder`` is, or will be made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
