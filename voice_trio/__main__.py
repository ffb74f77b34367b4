"""``python -m voice_trio``."""

from voice_trio.start import main

main()
