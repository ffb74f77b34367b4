"""Any OpenAI-compatible chat API as a language model."""
