"""Train a very small Whisper on synthetic speech, for the tests.

    python tests/tiny_whisper/training/train.py WORK_DIR OUT_DIR

It needs Debian's espeak-ng and flite, and `pip install -e '.[train]'`; on two cores it takes hours, so it keeps its
state in WORK_DIR every few minutes and goes on from there when it is started again. `--steps` may be raised at any
time: the rate of learning stays level until the last third of the steps, where it falls to nothing.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.func import functional_call
from torch.nn import functional

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.tiny_whisper.training import export, recordings, trained
from tests.tiny_whisper.training.batches import IGNORED, Batch, Batches
from tests.tiny_whisper.training.network import Whisper
from tests.tiny_whisper.training.recordings import Recording

WARM_UP = 200
CTC_SHARE = 0.3
SAVE_EVERY_S = 180
LONG_AFTER = 2000
"""Steps on single sentences alone: to find how words go with sounds takes as many, and they are half as dear."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a very small Whisper on synthetic speech.")
    parser.add_argument("work", type=Path, help="folder for recordings and the state of the training")
    parser.add_argument("out", type=Path, help="folder to write the model into")
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--speech", type=int, default=14_000, help="recordings to train on")
    parser.add_argument("--sounds", type=int, default=800, help="recordings of no speech")
    parser.add_argument("--begin-with", type=Path, help="folder of a trained model to go on from")
    parser.add_argument("--rate", type=float, default=2e-3, help="of learning, at its highest")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    torch.manual_seed(0)
    # Layers this small are too little work to share among cores: on a processor each takes a batch of its own.
    at_once = 1 if asked.device == "cuda" else os.cpu_count() or 1
    torch.set_num_threads(1)

    speech, sounds = recordings.make_set(asked.work, count=asked.speech, sounds=asked.sounds)
    vocabulary = export.make_vocabulary()
    tokenizer = export.make_tokenizer(vocabulary)
    network = Whisper(len(vocabulary.tokens), vocabulary.text_tokens).to(asked.device)
    if not (asked.work / "state.pt").exists():
        print(
            f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} M parameters, {len(speech)} recordings",
            flush=True,
        )
        if asked.begin_with is not None:
            trained.read(network, vocabulary, asked.begin_with)
    train(network, speech, sounds, tokenizer, vocabulary.text_tokens, at_once, asked)
    export.write(network, vocabulary, asked.out)
    print(f"Wrote {asked.out}; copied to tests/tiny_whisper/model, it is judged by: python tools/bench_asr.py words")


def train(
    network: Whisper,
    speech: list[Recording],
    sounds: list[Recording],
    tokenizer: Tokenizer,
    blank: int,
    at_once: int,
    asked: argparse.Namespace,
) -> None:
    """Train ``network`` in place for what is left of the steps, each of ``at_once`` batches."""
    # Muon turns each matrix's momentum orthogonal (Jordan, 2024), and learns in about half of the steps that AdamW
    # needs; what is no matrix of a layer stays with AdamW.
    inner = [p for name, p in network.named_parameters() if p.ndim == 2 and ("encoder." in name or "decoder." in name)]
    chosen = {id(p) for p in inner}
    outer = [p for p in network.parameters() if id(p) not in chosen]
    optimizers = [
        torch.optim.Muon(inner, lr=asked.rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outer, lr=asked.rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]
    state, done = asked.work / "state.pt", 0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        network.load_state_dict(kept["network"])
        for optimizer, values in zip(optimizers, kept["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        done = kept["step"]

    def save() -> None:
        values = {"network": network.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "step": done}
        torch.save(values, state.with_suffix(".part"))
        state.with_suffix(".part").rename(state)

    network.train()
    saved = said = time.monotonic()
    losses: list[tuple[float, float]] = []
    weights, pool = list(network.parameters()), ThreadPoolExecutor(at_once)
    # While it is called with given values, a module is changed: each thread has layers of its own for the same weights.
    networks = [copy.deepcopy(network) for _ in range(at_once)]

    def learn(layers: Whisper, batch: Batch) -> tuple[float, float, tuple[torch.Tensor, ...]]:
        words, order = losses_of(layers, network, batch, blank, asked.device)
        loss = (1 - CTC_SHARE) * words + CTC_SHARE * order
        return words.item(), order.item(), torch.autograd.grad(loss / at_once, weights)

    long_after = LONG_AFTER if asked.begin_with is None else 0
    batches = iter(Batches(speech, sounds, tokenizer, seed=done, long=done >= long_after, parts=at_once))
    while done < asked.steps:
        factor = min(1.0, (done + 1) / WARM_UP, (asked.steps - done) / (asked.steps / 3))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = asked.rate * factor
        learnt = list(pool.map(learn, networks, next(batches)))
        for weight, *slopes in zip(weights, *(slopes for _, _, slopes in learnt), strict=True):
            weight.grad = torch.stack(slopes).sum(0)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if done == long_after > 0:
            batches = iter(Batches(speech, sounds, tokenizer, seed=done, long=True, parts=at_once))
        losses += [(words, order) for words, order, _ in learnt]
        done += 1
        if done % 100 == 0:
            now = time.monotonic()
            first, second = (sum(column) / len(losses) for column in zip(*losses, strict=True))
            print(f"step {done}: words {first:.3f}, order {second:.3f}, {100 / (now - said):.2f} steps/s", flush=True)
            losses.clear()
            said = now
            if now - saved > SAVE_EVERY_S:
                save()
                saved = now
    save()


def losses_of(
    layers: Whisper, network: Whisper, batch: Batch, blank: int, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the cross-entropy of the next tokens, and the CTC loss per token of text, as ``layers`` with the weights
    of ``network`` hear them.
    """
    # The weights themselves stay in float32, or small steps would be lost; casting all of the network at once, and not
    # each operation's part, halves the time on a processor.
    parameters = {name: value.bfloat16() for name, value in network.named_parameters()}
    parameters |= {name: value.bfloat16() for name, value in network.named_buffers()}
    given = (batch.features.to(device, torch.bfloat16), batch.tokens.to(device))
    logits, order = functional_call(layers, parameters, given)
    words = functional.cross_entropy(
        logits.float().flatten(0, 1), batch.wanted.to(device).flatten(), ignore_index=IGNORED, label_smoothing=0.05
    )
    lengths = torch.full((len(batch.lengths),), order.shape[1], dtype=torch.long)
    ctc = functional.ctc_loss(
        order.float().log_softmax(2).transpose(0, 1),
        batch.words.to(device),
        lengths,
        batch.lengths,
        blank=blank,
        reduction="sum",
        zero_infinity=True,
    )
    return words, ctc / max(1, len(batch.words))


if __name__ == "__main__":
    main()
