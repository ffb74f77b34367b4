"""Parts of tools/bench_store.py."""
