"""A scripted person talks with a real server in real time; both sides are recorded, and the recording is scored.

    python -m tools.duplex_bench --help

What is said: `script` (when to say what), `sounds`, `alignment`, `pauses` and `material` (what scripts are made of),
`catalogue` (the scripts). The talking: `player` (a loudspeaker), `person` (a microphone), `adapter`, `ours` and
`network` (a server as the person meets it), `running` (servers side by side). What comes of it: `recording`,
`stretches`, `overlaps`, `lost_words`, `memory`, `scoring` (of one session), `summary` (of many).
"""
