"""The recognizer that comes with the package, in processes of its own."""
