"""Where files that are no code lie: the page's beside the package in a checkout, and inside it in a wheel."""

from pathlib import Path


def static_dir() -> Path:
    """Return the folder of static files. Raises `FileNotFoundError` where an installation lacks it."""
    package = Path(__file__).parent
    for folder in (package / "static", package.parent / "static"):
        if (folder / "index.html").is_file():
            return folder
    raise FileNotFoundError(f"The static files are missing beside {package}; install voice_trio again.")


def clips_dir() -> Path:
    """Return the folder of recorded English sentences (FLAC, 16 kHz) that recognisers are tried on."""
    return Path(__file__).parent / "clips"
