"""Tools of our own: what the assistant can do without a language model, and what it offers to one."""
