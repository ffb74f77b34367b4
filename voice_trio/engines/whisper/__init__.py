"""Whisper, in faster-whisper."""
