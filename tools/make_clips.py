"""Makes the recordings that a Whisper model is tried on, voice_trio/clips: a neural voice's, of a second to eight.

And examples/time.wav, a question that is answered without any language model.

    python tools/make_clips.py

The people there and flite's four are as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import soundfile

from tools.utterances import speak
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.installation import clips_dir

SENTENCES = {
    "yes": "Yes.",
    "no": "No.",
    "stop": "Stop.",
    "thanks": "Thank you.",
    "next": "Next song, please.",
    "louder": "A little louder.",
    "cancel": "Cancel the alarm.",
    "time": "What time is it now?",
    "window": "Close the window, please.",
    "call": "Call my brother at work.",
    "timer": "Set a timer for ten minutes.",
    "milk": "Put milk and butter on the list.",
    "kitchen": "Turn on the light in the kitchen.",
    "news": "Tell me what happened in the world today.",
    "appointment": "When is my next appointment with the doctor?",
    "dinner": "We are having dinner at my parents' house on Sunday.",
    "train": "The train leaves at noon, so we should be there a little earlier.",
}


def main() -> None:
    """Write them."""
    for name, words in SENTENCES.items():
        audio = np.frombuffer(speak(words), "<i2")
        soundfile.write(clips_dir() / f"{name}.flac", audio, SAMPLE_RATE, subtype="PCM_16")
    example()


def example() -> None:
    """Write the question of the examples."""
    audio = np.frombuffer(speak("What time is it in Tokyo?"), "<i2")
    soundfile.write(Path(__file__).parent.parent / "examples" / "time.wav", audio, SAMPLE_RATE, subtype="PCM_16")


if __name__ == "__main__":
    main()
