"""What an operator can choose of engines on other machines: the settings in `config` that are of these types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

AsrUrl = Annotated[
    str, Field(description="recognizers on other machines (docs/remote-engines.md): addresses with commas between")
]
TtsUrl = Annotated[str, Field(description="voices on other machines: addresses with commas between")]

AsrKey = Annotated[SecretStr | None, Field(description="key for the recognizers on other machines")]
TtsKey = Annotated[SecretStr | None, Field(description="key for the voices on other machines")]
Key = Annotated[SecretStr | None, Field(description="key for both, where they have none of their own")]

AsrModel = Annotated[
    str, Field(min_length=1, max_length=200, description="model that recognizers on other machines are asked for")
]
TtsModel = Annotated[
    str, Field(min_length=1, max_length=200, description="model that voices on other machines are asked for")
]
Voices = Annotated[
    str, Field(min_length=1, description="voices that other machines have, with commas between, the usual one first")
]
Rate = Annotated[int, Field(ge=8000, le=48_000, description="sample rate of the voices on other machines, in Hz")]

AttemptS = Annotated[
    float, Field(gt=0, le=60, description="time that another machine has to answer before it is asked again, in s")
]
Partials = Annotated[
    Literal["on", "off"], Field(description="on asks other machines for partial transcripts as well as for finals")
]
StandsBy = Annotated[
    Literal["on", "off"], Field(description="on has an engine of this machine stand by for those on others")
]
Proxies = Annotated[
    Literal["on", "off"], Field(description="on reaches other machines through the proxies of the environment")
]
