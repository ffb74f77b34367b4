"""What `tools/fuzz_server.py` throws."""
