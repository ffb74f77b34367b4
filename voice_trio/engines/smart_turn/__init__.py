"""Smart Turn: whether a person has finished, by the sound of it."""
