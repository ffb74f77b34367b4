"""The pure part: no trio, no I/O, no clock. Time and audio come in as arguments."""
