"""How the vocabulary is spelled on a socket: a codec for each wire."""
