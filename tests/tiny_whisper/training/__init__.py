"""How the tiny Whisper was trained: what is said, who says it, the network that learns it, the file it becomes."""
