"""How a person at this terminal calls the command line."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def command_name() -> str:
    """Return ``voice-trio`` where the shell finds ours by that name, else its path."""
    script = Path(sys.executable).with_name("voice-trio")
    if shutil.which("voice-trio") == str(script):
        return script.name
    return os.path.relpath(script) if script.is_relative_to(Path.cwd()) else str(script)
