"""Whisper's network in PyTorch, with a CTC head on its encoder that only training uses.

The layers are those of "Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al., 2022), section
2.2. The second head, and the weight of its loss, follow "Hybrid CTC/Attention Architecture for End-to-End Speech
Recognition" (Watanabe et al., 2017): without it, attention takes far longer to find that words and sounds come in the
same order.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

POSITIONS_IN = 1500
POSITIONS_OUT = 448


class Attention(nn.Module):
    """Attention of ``heads`` heads, to ``memory``."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, *, causal: bool = False) -> Tensor:
        """Return what ``x`` (batch, places, width) attends to; ``causal`` lets no place see those after it."""

        def split(y: Tensor) -> Tensor:
            return y.view(*y.shape[:2], self.heads, -1).transpose(1, 2)

        y = functional.scaled_dot_product_attention(
            split(self.query(x)), split(self.key(memory)), split(self.value(memory)), is_causal=causal
        )
        out: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return out


class Layer(nn.Module):
    """A layer of the encoder, or with ``crossing`` one of the decoder, which hears the encoder."""

    def __init__(self, width: int, heads: int, *, crossing: bool) -> None:
        super().__init__()
        self.attention, self.attention_norm = Attention(width, heads), nn.LayerNorm(width)
        self.crossing = Attention(width, heads) if crossing else None
        self.crossing_norm = nn.LayerNorm(width) if crossing else None
        self.forth, self.back = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        """Return ``x`` (batch, places, width), one layer on."""
        y = self.attention_norm(x)
        x = x + (self.attention(y, y, causal=memory is not None))
        if self.crossing is not None and self.crossing_norm is not None:
            x = x + (self.crossing(self.crossing_norm(x), memory))
        out: Tensor = x + (self.back(functional.gelu(self.forth(self.norm(x)))))
        return out


class Whisper(nn.Module):
    """Mels to token logits; `encode` gives the memory and the logits of the CTC head."""

    def __init__(
        self, vocabulary: int, text_tokens: int, *, width: int = 128, heads: int = 2, encoder: int = 4, decoder: int = 2
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(80, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("sines", sinusoids(POSITIONS_IN, width))
        self.encoder = nn.ModuleList(Layer(width, heads, crossing=False) for _ in range(encoder))
        self.encoder_norm = nn.LayerNorm(width)
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(POSITIONS_OUT, width) * 0.01)
        self.decoder = nn.ModuleList(Layer(width, heads, crossing=True) for _ in range(decoder))
        self.decoder_norm = nn.LayerNorm(width)
        self.ctc = nn.Linear(width, text_tokens + 1)
        nn.init.normal_(self.embedding.weight, std=0.05)

    def forward(self, features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of each next token, and those of the CTC head."""
        memory, order = self.encode(features)
        return self.decode(tokens, memory), order

    def encode(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the memory and the CTC logits of ``features`` (batch, 80, frames), two frames a position."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(features)))).transpose(1, 2)
        x = x + self.sines[: x.shape[1]]
        for layer in self.encoder:
            x = layer(x)
        x = self.encoder_norm(x)
        return x, self.ctc(x)

    def decode(self, tokens: Tensor, memory: Tensor) -> Tensor:
        """Return the logits of each next token (batch, places, vocabulary)."""
        x = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        for layer in self.decoder:
            x = layer(x, memory)
        out: Tensor = self.decoder_norm(x) @ self.embedding.weight.T
        return out


def sinusoids(length: int, width: int) -> Tensor:
    """Return Whisper's position encodings of the encoder."""
    scales = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * scales[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)
