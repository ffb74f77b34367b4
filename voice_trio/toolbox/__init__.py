"""Tools that the server itself has: what a language model can have done, in the middle of a reply."""
