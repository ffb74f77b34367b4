"""A model that `export` wrote, back in the network: training may go on from it where its state is lost.

Int8 keeps seven bits of each weight, which costs the network little; the CTC head is not in the file, and begins anew.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import nn

from . import layout
from .export import Vocabulary
from .network import Whisper

_VERSION = 6
_KINDS = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32}
"""CTranslate2's numbers for what a variable is made of."""


def read(network: Whisper, vocabulary: Vocabulary, folder: Path) -> None:
    """Put the weights of the model in ``folder`` into ``network``.

    Raises ValueError where the model has other tokens, another shape, or a file of another version.
    """
    tokens = json.loads((folder / "vocabulary.json").read_text())
    if tokens != vocabulary.tokens:
        raise ValueError(f"{folder} has other tokens than the grammar's sentences give today; train from the beginning")
    with (folder / "model.bin").open("rb") as file:
        variables = dict(_variables(file))
    with torch.no_grad():
        _fill([network.embedding], _weight(variables, "decoder/embeddings"))
        network.positions.copy_(torch.from_numpy(variables["decoder/position_encodings/encodings"]))
        for name, layers in layout.layers(network):
            _fill(layers, _weight(variables, name), variables.get(f"{name}/bias"))
        for name, norm in layout.norms(network):
            norm.weight.copy_(torch.from_numpy(variables[f"{name}/gamma"]))
            norm.bias.copy_(torch.from_numpy(variables[f"{name}/beta"]))


def _variables(file: BinaryIO) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each variable's name and value, in the layout of CTranslate2's `ModelSpec.save`."""

    def number(code: str) -> int:
        value: int = struct.unpack(f"<{code}", file.read(struct.calcsize(code)))[0]
        return value

    def name() -> str:
        return file.read(number("H"))[:-1].decode()

    version = number("I")
    if version != _VERSION:
        raise ValueError(f"{file.name} is a model file of version {version}, not {_VERSION}")
    name(), number("I")  # the kind of model, and its revision
    for _ in range(number("I")):
        called = name()
        shape = [number("I") for _ in range(number("B"))]
        kind = _KINDS[number("B")]
        yield called, np.frombuffer(file.read(number("I")), kind).reshape(shape).copy()


def _weight(variables: dict[str, np.ndarray], name: str) -> np.ndarray:
    weight = variables[f"{name}/weight"].astype(np.float32)
    scale = variables.get(f"{name}/weight_scale")
    return weight if scale is None else weight / scale.reshape(-1, *[1] * (weight.ndim - 1))


def _fill(layers: list[nn.Module], weight: np.ndarray, bias: np.ndarray | None = None) -> None:
    """Share out the rows of ``weight`` and ``bias`` among ``layers``."""
    first = 0
    for layer in layers:
        part = slice(first, first + len(layer.weight))
        layer.weight.copy_(torch.from_numpy(weight[part]))
        # Whisper's keys have none.
        if bias is not None and layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(bias[part]))
        first = part.stop
    if first != len(weight):
        raise ValueError(f"the model's layer has {len(weight)} rows where the network's has {first}")
