"""What is remembered in PostgreSQL, for several servers at once."""
