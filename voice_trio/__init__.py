"""voice_trio: a self-hosted voice assistant server with structured concurrency from end to end."""

import os
from importlib.metadata import version

# onnxruntime reports the machine to its maker as soon as it is imported, by whichever library, unless this is set;
# huggingface_hub tells its own store more than a download needs. Child processes inherit both.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

__version__ = version("voice-trio")
