"""OpenAI's API for audio, as its clients speak it: what stands under /v1."""
