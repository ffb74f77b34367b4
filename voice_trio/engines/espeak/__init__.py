"""espeak-ng as a voice: by way of pyttsx3, in worker processes."""
