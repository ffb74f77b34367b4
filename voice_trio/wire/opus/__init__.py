"""Sound as Opus (RFC 6716) has it, in packets of 20 ms, in both directions of /ws."""
