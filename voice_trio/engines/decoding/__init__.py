"""What recognizers share that decode when they are asked: a model in threads, and an utterance's course over it."""
