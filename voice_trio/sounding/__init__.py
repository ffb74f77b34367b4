"""A machine's own microphone and loudspeaker: the device, and what is played and heard through it."""
