"""A Whisper model from this disk, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voice_trio.config import Settings
from voice_trio.engines.decoding.scheduler import threads_per_worker
from voice_trio.engines.whisper import models as whisper_models
from voice_trio.engines.whisper.decode import WhisperDecoder
from voice_trio.engines.whisper.models import ModelError
from voice_trio.installation import command_name


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
    asked = whisper_models.parse(name)
    folder = whisper_models.find(name)
    if folder is None:
        command = f"{command_name()} models download {name}"
        raise ModelError(f"Whisper model {name} is not on this disk; fetch it with: {command}")

    from faster_whisper import WhisperModel

    try:
        model = WhisperModel(
            str(folder),
            # Whoever asks for half precision has a GPU in mind; no processor computes in it.
            device="auto" if "float16" in asked.compute_type else "cpu",
            compute_type=asked.compute_type,
            cpu_threads=threads_per_worker(settings.asr_workers),
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
    decoder = WhisperDecoder(model, margin_s=settings.asr_margin_ms / 1000)
    return Loaded(folder.resolve().name if asked.folder else name, folder, decoder)
