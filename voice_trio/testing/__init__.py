"""What tests and simulations of a session are made of, here and elsewhere."""
