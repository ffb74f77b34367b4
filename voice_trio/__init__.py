"""voice_trio: a self-hosted voice assistant server with structured concurrency from end to end."""

import os

# onnxruntime reports the machine to its maker as soon as it is imported, by whichever library, unless this is set;
# huggingface_hub tells its own store more than a download needs. Child processes inherit both.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

# By its name type checkers know it. To import it from `typing` takes longer than all else until Ctrl-C is obeyed.
TYPE_CHECKING = False

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name):
        """Look the version up when it is asked for: no worker process does, and it imports much."""
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        return version("voice-trio")
