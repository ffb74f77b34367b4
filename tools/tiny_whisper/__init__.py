"""The parts of `train_tiny_whisper.py`: what is said, who says it, the network that learns it, the file it becomes."""
