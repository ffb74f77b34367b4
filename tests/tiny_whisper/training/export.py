"""The trained network as a model that faster-whisper loads: CTranslate2's file, a tokenizer and the feature extractor's
measures.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from . import layout, sentences
from .network import Whisper

TEXT_TOKENS = 720
TIMESTAMPS = 1501
_SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
_SPECIAL += [
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
    *(f"<|{at * 0.02:.2f}|>" for at in range(TIMESTAMPS)),
]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the model reads and writes."""

    tokens: list[str]
    """In the order of their ids: text, then the special ones in Whisper's order."""
    merges: list[tuple[str, str]]
    text_tokens: int


def make_vocabulary() -> Vocabulary:
    """Learn byte-level BPE from the grammar's sentences; the same one each time."""
    drawn = random.Random(0)
    texts = [sentences.request(drawn) for _ in range(20_000)]
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=TEXT_TOKENS, initial_alphabet=alphabet, show_progress=False)
    learner.train_from_iterator((" " + text for text in texts), trainer)
    learned = json.loads(learner.to_str())["model"]
    text = sorted(learned["vocab"], key=learned["vocab"].__getitem__)
    return Vocabulary(text + _SPECIAL, [tuple(pair) for pair in learned["merges"]], len(text))


def make_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    ids = {token: at for at, token in enumerate(vocabulary.tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=vocabulary.merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token in vocabulary.tokens[vocabulary.text_tokens :]]
    )
    return tokenizer


def write(network: Whisper, vocabulary: Vocabulary, out: Path, *, quantization: str = "int8") -> None:
    """Write the model into the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    network = network.cpu().float().eval()
    spec = _spec(network)
    spec.register_vocabulary(vocabulary.tokens)
    ids = {token: at for at, token in enumerate(vocabulary.tokens)}
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["Ġ"], ids["<|endoftext|>"]]
    spec.config.lang_ids = [ids["<|en|>"]]
    heads = network.decoder[0].attention.heads
    spec.config.alignment_heads = [[len(network.decoder) - 1, head] for head in range(heads)]
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(out))
    make_tokenizer(vocabulary).save(str(out / "tokenizer.json"))
    measures = {"feature_size": 80, "sampling_rate": 16_000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
    (out / "preprocessor_config.json").write_text(json.dumps(measures, indent=2) + "\n")


def _spec(network: Whisper) -> WhisperSpec:
    heads = network.decoder[0].attention.heads
    spec = WhisperSpec(len(network.encoder), heads, len(network.decoder), heads)
    spec.encoder.position_encodings.encodings = network.sines.numpy()
    embeddings = network.embedding.weight.detach().numpy()
    spec.decoder.embeddings.weight = embeddings
    spec.decoder.projection.weight = embeddings
    spec.decoder.position_encodings.encodings = network.positions.detach().numpy()
    for name, layers in layout.layers(network):
        theirs = _at(spec, name)
        theirs.weight = np.concatenate([layer.weight.detach().numpy() for layer in layers])
        theirs.bias = np.concatenate([_bias(layer) for layer in layers])
    for name, norm in layout.norms(network):
        theirs = _at(spec, name)
        theirs.gamma, theirs.beta = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    return spec


def _at(spec: WhisperSpec, name: str) -> Any:
    """Return the part of ``spec`` that a file calls ``name``: of a list, ``layer_1`` is the second ``layer``."""
    part: Any = spec
    for step in name.split("/"):
        if hasattr(part, step):
            part = getattr(part, step)
        else:
            listed, number = step.rsplit("_", 1)
            part = getattr(part, listed)[int(number)]
    return part


def _bias(layer: Any) -> np.ndarray:
    # Whisper's keys have none; CTranslate2's stacked layer wants one for all.
    return np.zeros(len(layer.weight), np.float32) if layer.bias is None else layer.bias.detach().numpy()
