"""What recognizers share that decode a stretch of audio at a time: the queue for a model, and an utterance's course."""
