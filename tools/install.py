"""Installs with pip, and says of each package what is fetched and how large it is.

    python tools/install.py -c constraints.txt -e .     what `pip install` takes

It is run before anything is installed, so it needs nothing but Python. pip's own words come only where it fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from urllib.parse import unquote

FETCHED = re.compile(
    r"\s*(?:Downloading|Using cached) (?P<file>\S+\.(?:whl|tar\.gz|zip))(?!\S)(?: \((?P<size>[^)]+)\))?"
)
LOCAL = re.compile(r"\s*Processing (?P<file>\S+\.(?:whl|tar\.gz|zip))")
KEPT_LINES = 40


def described(line: str) -> str | None:
    """Return what pip's ``line`` says is fetched, in short; None where it says nothing of that."""
    found = FETCHED.match(line)
    size = found["size"] if found else None
    if found is None and (found := LOCAL.match(line)) is not None:
        path = Path(found["file"])
        size = f"{path.stat().st_size / 1e6:.1f} MB" if path.is_file() else None
    if found is None:
        return None
    name, version, *_ = [*unquote(found["file"].rpartition("/")[2]).split("-"), ""]
    return f"  {name} {version}{f', {size}' if size else ''}"


def main() -> int:
    """Install, and return pip's exit code."""
    print("Installing what voice_trio needs. This is done once.", flush=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        *sys.argv[1:],
    ]
    said: deque[str] = deque(maxlen=KEPT_LINES)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            if (told := described(line)) is not None:
                print(told, flush=True)
    if pip.returncode:
        sys.stderr.writelines(said)
    return pip.returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
