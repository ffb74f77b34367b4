"""A recognizer and a voice on other machines: who is asked, how, for how long, and what stands by."""
