"""Moonshine tiny, the embedded recognizer: its weights come in a package of the index."""
