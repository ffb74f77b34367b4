"""What this installation is called at a terminal, and where the files lie that are no code, its own and others'."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path


def command_name() -> str:
    """Return ``voice-trio`` where the shell finds ours by that name, else its path."""
    script = Path(sys.executable).with_name("voice-trio")
    if shutil.which("voice-trio") == str(script):
        return script.name
    return os.path.relpath(script) if script.is_relative_to(Path.cwd()) else str(script)


def static_dir() -> Path:
    """Return the folder of static files. Raises `FileNotFoundError` where an installation lacks it."""
    package = Path(__file__).parent
    for folder in (package / "static", package.parent / "static"):
        if (folder / "index.html").is_file():
            return folder
    raise FileNotFoundError(f"The static files are missing beside {package}; install voice_trio again.")


def clips_dir() -> Path:
    """Return the folder of recorded English sentences (FLAC, 16 kHz) that recognizers are tried on."""
    return Path(__file__).parent / "clips"


def data_dir(chosen: str) -> Path:
    """Return the folder of what is kept from run to run: ``chosen``, or where the XDG specification has it.

    Raises `RuntimeError` where there is no home.
    """
    if not chosen:
        data_home = os.environ.get("XDG_DATA_HOME", "")
        # The XDG specification: a relative one is invalid, and to be ignored.
        chosen = f"{data_home if os.path.isabs(data_home) else '~/.local/share'}/voice_trio"
    return Path(chosen).expanduser().absolute()


def package_folder(name: str) -> Path | None:
    """Return the folder of the installed top package ``name``, None where there is none; nothing of it is imported."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else None
