"""`POST /api/utterance`: one request brings an upload, and its answer a whole turn."""
