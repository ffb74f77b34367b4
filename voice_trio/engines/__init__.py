"""The models a session talks to: one small interface each, one file a model."""
