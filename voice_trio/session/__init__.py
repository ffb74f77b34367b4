"""One client's conversation as a nursery: everything in it ends when its scope does."""
