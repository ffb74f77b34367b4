"""Takes the assistant's own voice out of a microphone that hears it: WebRTC's AEC3, and what it needs to know.

`canceller.EchoCanceller` is the whole; it needs the extra ``echo`` (see `aec3`).
"""
