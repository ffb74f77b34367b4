"""``python -m voice_trio``."""

from voice_trio.cli import main

main()
