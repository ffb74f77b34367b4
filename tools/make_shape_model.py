"""Write a model of Whisper's shape with random weights: python tools/make_shape_model.py tiny OUT_DIR [--multilingual]

Its words mean nothing. What it costs to load, to hold and to run depends on the shape alone, so speed and memory can be
measured, and the adapter tested, where no trained weights can be had. faster-whisper loads it like any other model.

How it comes to an end: random weights would go on to the limit of tokens. So the position encodings of the decoder lean
toward the end token's embedding from the ``tokens``-th place on, and away from it before; every decode then gives about
that many tokens, the length of a spoken sentence.

The ids are laid out as Whisper's are: text, end, start, languages, tasks and marks, then 1,501 timestamps. CTranslate2
takes a model for multilingual by the empty text token that only Whisper's multilingual vocabularies have; its older
versions, by a vocabulary of 51,865 tokens or more. The named shapes satisfy both.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

MEANINGLESS = "Random weights in Whisper's shape: the words of this model mean nothing."

POSITIONS_IN = 1500
POSITIONS_OUT = 448
TIMESTAMPS = 1501
BYTES = 256
TEXT_TOKENS = 50_256
"""Whisper's, without the empty one of a multilingual model."""

# In the order of Whisper's token ids.
_CODES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la "
    "mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be "
    "tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
)
LANGUAGES = _CODES.split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The measures of a model."""

    width: int
    heads: int
    layers: int
    """Of the encoder, and of the decoder."""
    multilingual: bool = False
    text_tokens: int = TEXT_TOKENS
    """At least the 256 bytes; the rest are words of up to three syllables."""
    tokens: int = 20
    """Where a decode ends."""
    mels: int = 80


SHAPES = {
    "tiny": Shape(width=384, heads=6, layers=4),
    "base": Shape(width=512, heads=8, layers=6),
    "small": Shape(width=768, heads=12, layers=12),
}


def make(shape: Shape, out: Path, *, quantization: str | None = "int8", seed: int = 0) -> Path:
    """Write a model of ``shape`` into the folder ``out``, which is made, and return it.

    ``quantization`` is what the weights are stored in, as CTranslate2 names it; None stores float32.
    """
    out.mkdir(parents=True, exist_ok=True)
    vocabulary, first_special = _vocabulary(shape)
    ids = {token: at for at, token in enumerate(vocabulary)}
    spec = _weights(shape, len(vocabulary), ids["<|endoftext|>"], np.random.default_rng(seed))
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["Ġ"], ids["<|endoftext|>"]]
    spec.config.lang_ids = [ids[f"<|{language}|>"] for language in LANGUAGES]
    half = range(shape.layers // 2, shape.layers)
    spec.config.alignment_heads = [list(pair) for pair in itertools.product(half, range(shape.heads))]
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(out))
    _tokenizer(vocabulary, first_special).save(str(out / "tokenizer.json"))
    features = {
        "feature_size": shape.mels,
        "sampling_rate": 16_000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }
    (out / "preprocessor_config.json").write_text(json.dumps(features, indent=2) + "\n")
    (out / "README.md").write_text(MEANINGLESS + "\n")
    return out


def _vocabulary(shape: Shape) -> tuple[list[str], int]:
    """Return all tokens in the order of their ids, and the id of the first special one."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    syllables = ["".join(pair) for pair in itertools.product("bdfgklmnprstvz", "aeiou")]
    # "Ġ" is the space in front of a word, in the alphabet of byte-level tokenizers.
    words = ("Ġ" + "".join(parts) for count in (1, 2, 3) for parts in itertools.product(syllables, repeat=count))
    text = list(itertools.islice(itertools.chain(alphabet, words), shape.text_tokens))
    text += [""] if shape.multilingual else []
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in LANGUAGES)]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{at * 0.02:.2f}|>" for at in range(TIMESTAMPS))]
    return text + special, len(text)


def _tokenizer(vocabulary: list[str], first_special: int) -> Tokenizer:
    """Return a byte-level tokenizer without merges: it writes any text in single bytes, and reads every token."""
    ids = {token: at for at, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in vocabulary[first_special:]])
    return tokenizer


def _weights(shape: Shape, vocabulary: int, end: int, random: np.random.Generator) -> WhisperSpec:
    """Return a specification with every weight set."""
    width = shape.width
    spec = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    # What a layer adds shrinks with their number, so that the stream that they add to keeps its size in any shape.
    small, added = 0.02, 0.02 / np.sqrt(2 * shape.layers)
    # Large enough, in any width, for the words to depend on the audio and on their place, rather than repeat the last.
    hearing = 2 / np.sqrt(width)

    def noise(*size: int, scale: float = small) -> np.ndarray:
        return random.standard_normal(size, dtype=np.float32) * np.float32(scale)

    def linear(layer: Any, rows: int, columns: int, scale: float = small) -> None:
        layer.weight, layer.bias = noise(rows, columns, scale=scale), noise(rows, scale=scale)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def self_attention(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear[0], 3 * width, width)
        linear(layer.linear[1], width, width, added)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 4 * width, width)
        linear(layer.linear_1, width, 4 * width, added)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = noise(width, shape.mels, 3, scale=0.1), noise(width)
    encoder.conv2.weight, encoder.conv2.bias = noise(width, width, 3, scale=0.1), noise(width)
    encoder.position_encodings.encodings = noise(POSITIONS_IN, width)
    norm(encoder.layer_norm)
    for layer in encoder.layer:
        self_attention(layer.self_attention)
        feed_forward(layer.ffn)

    embeddings = noise(vocabulary, width)
    # Only words are ever said: neither single bytes, which are no text, nor marks other than the end.
    embeddings[:BYTES] *= 0.1
    embeddings[end + 1 :] *= 0.1
    toward_end = embeddings[end] / np.linalg.norm(embeddings[end])
    lean = np.where(np.arange(POSITIONS_OUT) < shape.tokens, -2, 60)[:, None].astype(np.float32)
    decoder.embeddings.weight = embeddings
    decoder.position_encodings.encodings = noise(POSITIONS_OUT, width, scale=0.3) + lean * toward_end
    decoder.projection.weight = embeddings
    norm(decoder.layer_norm)
    for layer in decoder.layer:
        self_attention(layer.self_attention)
        norm(layer.attention.layer_norm)
        linear(layer.attention.linear[0], width, width, hearing)
        linear(layer.attention.linear[1], 2 * width, width, hearing)
        linear(layer.attention.linear[2], width, width, hearing)
        feed_forward(layer.ffn)
    return spec


def main() -> None:
    parser = argparse.ArgumentParser(description=MEANINGLESS)
    parser.add_argument("shape", choices=SHAPES, help="whose measures to take")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--multilingual", action="store_true", help="with languages and tasks; else English only")
    parser.add_argument(
        "--quantization", default="int8", help="how weights are stored; float32 stores them as they are"
    )
    parser.add_argument("--tokens", type=int, default=20, help="where a decode ends")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    asked = parser.parse_args()
    shape = replace(SHAPES[asked.shape], multilingual=asked.multilingual, tokens=asked.tokens)
    out = make(shape, asked.out, quantization=asked.quantization, seed=asked.seed)
    size = sum(file.stat().st_size for file in out.iterdir())
    print(f"Wrote {out} ({size / 1e6:.0f} MB). {MEANINGLESS}")


if __name__ == "__main__":
    main()
