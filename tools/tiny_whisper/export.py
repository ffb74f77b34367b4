"""The trained network as a model that faster-whisper loads: CTranslate2's file, a tokenizer and the feature extractor's
measures.
"""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ctranslate2.specs import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from . import sentences
from .network import Attention, Layer, Whisper

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
    for name in ("conv1", "conv2"):
        _linear(getattr(spec.encoder, name), getattr(network, name))
    spec.encoder.position_encodings.encodings = network.sines.numpy()
    _norm(spec.encoder.layer_norm, network.encoder_norm)
    for theirs, ours in itertools.chain(
        zip(spec.encoder.layer, network.encoder, strict=True), zip(spec.decoder.layer, network.decoder, strict=True)
    ):
        _layer(theirs, ours)
    embeddings = network.embedding.weight.detach().numpy()
    spec.decoder.embeddings.weight = embeddings
    spec.decoder.projection.weight = embeddings
    spec.decoder.position_encodings.encodings = network.positions.detach().numpy()
    _norm(spec.decoder.layer_norm, network.decoder_norm)
    return spec


def _layer(theirs, ours: Layer) -> None:
    attention = ours.attention
    _norm(theirs.self_attention.layer_norm, ours.attention_norm)
    _stacked(theirs.self_attention.linear[0], [attention.query, attention.key, attention.value])
    _linear(theirs.self_attention.linear[1], attention.out)
    if ours.crossing is not None:
        crossing: Attention = ours.crossing
        _norm(theirs.attention.layer_norm, ours.crossing_norm)
        _linear(theirs.attention.linear[0], crossing.query)
        _stacked(theirs.attention.linear[1], [crossing.key, crossing.value])
        _linear(theirs.attention.linear[2], crossing.out)
    _norm(theirs.ffn.layer_norm, ours.norm)
    _linear(theirs.ffn.linear_0, ours.forth)
    _linear(theirs.ffn.linear_1, ours.back)


def _linear(theirs, ours) -> None:
    theirs.weight = ours.weight.detach().numpy()
    theirs.bias = ours.bias.detach().numpy()


def _stacked(theirs, ours: list) -> None:
    weights = [layer.weight.detach().numpy() for layer in ours]
    # Whisper's keys have no bias; CTranslate2's stacked layer wants one for all.
    biases = [
        np.zeros(len(layer.weight), np.float32) if layer.bias is None else layer.bias.detach().numpy() for layer in ours
    ]
    theirs.weight, theirs.bias = np.concatenate(weights), np.concatenate(biases)


def _norm(theirs, ours) -> None:
    theirs.gamma, theirs.beta = ours.weight.detach().numpy(), ours.bias.detach().numpy()
