"""HTTP and WebSocket: the only part that knows Quart and Hypercorn."""
