"""Processes that work for the server: their lives, who has one, and what they may."""
