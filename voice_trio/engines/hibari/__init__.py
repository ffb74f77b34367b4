"""hibari: a small neural voice for English, distilled from Kokoro-82M, in warm worker processes."""
