"""What an operator can choose of what is remembered, and where: the settings in `config` that are of these types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

Tokens = Annotated[
    int, Field(ge=0, le=1_000_000, description="room for the conversation so far in a prompt, in tokens")
]
Memory = Annotated[
    Literal["on", "off"],
    Field(description="on remembers conversations; off forgets them when the server ends"),
]
Days = Annotated[int, Field(ge=0, le=36_500, description="days a turn is remembered; 0 for ever")]
DataDir = Annotated[
    str, Field(description="folder of what is remembered; empty: voice_trio in $XDG_DATA_HOME or ~/.local/share")
]

DatabaseUrl = Annotated[
    SecretStr | None,
    Field(description="PostgreSQL that remembers for several servers, postgresql://...; none: a file of this machine"),
]
Connections = Annotated[
    int, Field(ge=1, le=100, description="connections to PostgreSQL at the same time, besides one for the heartbeat")
]
ClaimTtlS = Annotated[
    float,
    Field(ge=1, le=600, description="time after which a server that is not heard of loses its conversations, in s"),
]
