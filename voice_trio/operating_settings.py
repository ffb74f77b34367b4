"""What can be chosen for a server that others stand in front of, watch and stop: types of settings in `config`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

TrustedProxies = Annotated[
    str, Field(description="proxies whose X-Forwarded-For counts: addresses and networks, with commas between")
]
MetricsPort = Annotated[
    int | None, Field(ge=1, le=65_535, description="another port for /metrics, without a token; none: beside /api")
]
AgentPort = Annotated[
    int | None, Field(ge=1, le=65_535, description="port at which HAProxy's agent-check is told how much room there is")
]
DelayS = Annotated[
    float,
    Field(ge=0, le=600, description="time in which balancers may notice a shutdown before it begins, in s"),
]
GraceS = Annotated[
    float, Field(ge=0, le=600, description="time a reply in progress may take to finish at shutdown, in s")
]
