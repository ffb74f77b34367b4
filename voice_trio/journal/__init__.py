"""A session on file: what came in, what its engines answered and what it said; and the same session lived again."""
