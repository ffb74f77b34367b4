"""Moonshine, the recognizer that comes along: small, quick, for English."""
