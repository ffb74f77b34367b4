"""How OpenAI's Realtime API spells the vocabulary: JSON events both ways, with the audio in base64."""
