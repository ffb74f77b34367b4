"""Where the network's layers stand in CTranslate2's model of a Whisper: the names are those of its file."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from .network import Whisper


def layers(network: Whisper) -> Iterator[tuple[str, list[nn.Module]]]:
    """Yield the name of each layer with weights, and ours, whose rows lie there one after another."""
    yield "encoder/conv1", [network.conv1]
    yield "encoder/conv2", [network.conv2]
    for side, stack in (("encoder", network.encoder), ("decoder", network.decoder)):
        for at, layer in enumerate(stack):
            name = f"{side}/layer_{at}"
            attention, crossing = layer.attention, layer.crossing
            yield f"{name}/self_attention/linear_0", [attention.query, attention.key, attention.value]
            yield f"{name}/self_attention/linear_1", [attention.out]
            if crossing is not None:
                yield f"{name}/attention/linear_0", [crossing.query]
                yield f"{name}/attention/linear_1", [crossing.key, crossing.value]
                yield f"{name}/attention/linear_2", [crossing.out]
            yield f"{name}/ffn/linear_0", [layer.forth]
            yield f"{name}/ffn/linear_1", [layer.back]


def norms(network: Whisper) -> Iterator[tuple[str, nn.LayerNorm]]:
    """Yield the name of each norm, and ours."""
    yield "encoder/layer_norm", network.encoder_norm
    yield "decoder/layer_norm", network.decoder_norm
    for side, stack in (("encoder", network.encoder), ("decoder", network.decoder)):
        for at, layer in enumerate(stack):
            yield f"{side}/layer_{at}/self_attention/layer_norm", layer.attention_norm
            yield f"{side}/layer_{at}/ffn/layer_norm", layer.norm
            if layer.crossing_norm is not None:
                yield f"{side}/layer_{at}/attention/layer_norm", layer.crossing_norm
