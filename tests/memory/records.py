from typing import Any

from voice_trio.core.history import Record
from voice_trio.core.messages import Outcome


def record(conversation: str, turn: int, **fields: Any) -> Record:
    return Record(
        **{
            "conversation": conversation,
            "session": f"session of {conversation}",
            "turn": turn,
            "said": f"question {turn}",
            "reply": f"answer {turn}",
            "heard": 8,
            "outcome": Outcome.COMPLETED,
            "ended_at": 1000.0 + turn,
            **fields,
        }
    )
