"""The parts of `bench_asr.py`, one a question."""
