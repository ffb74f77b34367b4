"""A Whisper model from this disk, in memory."""

from __future__ import annotations

import os
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from voice_trio.config import Settings, processors
from voice_trio.core.languages import language_of, locale_of
from voice_trio.engines.whisper import models as whisper_models
from voice_trio.engines.whisper.decode import WhisperDecoder
from voice_trio.engines.whisper.names import ModelError, ModelName, parse
from voice_trio.installation import command_name

_MOST_THREADS = 4
"""Of one decode: more bring it little.

Each worker has as many as there are processors, and not its share of them: who speaks alone waits less (a decode takes
0.33 s instead of 0.45 on two), and where all workers decode, it takes no longer (0.53 and 0.52 s).
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model on this disk, in memory."""

    name: str
    folder: Path
    decoder: WhisperDecoder


def load(settings: Settings) -> Loaded:
    """Load the model that ``settings`` name; blocks for a second or more, and never touches a network.

    Raises `ModelError` where it is not on this disk, or cannot be used.
    """
    name = settings.model_whisper
    asked = parse(name)
    folder = whisper_models.get(name, settings.data_dir)
    if folder is None:
        command = f"{command_name()} models download {name}"
        raise ModelError(f"Whisper model {name} is not on this disk; fetch it with: {command}")

    from faster_whisper import WhisperModel

    try:
        model = WhisperModel(
            str(folder),
            # Whoever asks for half precision has a GPU in mind; no processor computes in it.
            device="auto" if "float16" in asked.compute_type else "cpu",
            compute_type=_compute_type(asked, folder),
            cpu_threads=min(processors(), _MOST_THREADS),
            num_workers=settings.asr_workers,
            local_files_only=True,
        )
    except Exception as error:  # a loader of foreign files; tokenizers raises nothing more telling than this
        raise ModelError(f"Whisper model {name} in {folder} cannot be loaded: {error}") from error
    mels = model.feature_extractor.mel_filters.shape[0]
    if mels != model.model.n_mels:
        raise ModelError(
            f"Whisper model {name} in {folder} listens to {model.model.n_mels} bands, "
            f"but its preprocessor_config.json says {mels}"
        )
    decoder = WhisperDecoder(model, margin_s=settings.asr_margin_ms / 1000, likely=language_of(locale_of(os.environ)))
    return Loaded(folder.resolve().name if asked.folder else name, folder, decoder)


def _compute_type(asked: ModelName, folder: Path) -> str:
    """Return what to compute in: int8 on a processor for weights that are stored in half precision.

    Unasked, CTranslate2 would compute in float32 there, in twice the time and four times the memory.
    """
    if asked.compute_type == "default" and stored_in_half(folder / "model.bin"):
        return "int8"
    return asked.compute_type


_FLOAT16, _BFLOAT16 = 4, 5


def stored_in_half(file: Path) -> bool:
    """Return whether the most of the weights in ``file``, CTranslate2's model.bin, are of 16 bits.

    The format is that of `ctranslate2.specs.model_spec.ModelSpec`: a version, a name, a revision, and then each array
    with its name, its shape, its type, its length in bytes and its content. False for anything else.
    """
    sizes: Counter[int] = Counter()
    try:
        with file.open("rb") as weights:

            def number(kind: str) -> int:
                value: int = struct.unpack(kind, weights.read(struct.calcsize(kind)))[0]
                return value

            number("I")
            weights.seek(number("H"), os.SEEK_CUR)
            number("I")
            for _ in range(number("I")):
                weights.seek(number("H"), os.SEEK_CUR)
                weights.seek(4 * number("B"), os.SEEK_CUR)
                kind, length = number("B"), number("I")
                sizes[kind] += length
                weights.seek(length, os.SEEK_CUR)
    except (OSError, struct.error):
        return False
    return bool(sizes) and sizes.most_common(1)[0][0] in (_FLOAT16, _BFLOAT16)
