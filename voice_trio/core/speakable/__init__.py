"""Text as it is written, and as it is said."""

from voice_trio.core.speakable.text import Speakable, Spoken

__all__ = ["Speakable", "Spoken"]
