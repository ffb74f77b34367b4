"""A trace of each turn, for who collects them by OpenTelemetry: nothing of it is imported where nobody does."""
