"""How our engines run models in onnxruntime: with few threads, which never spin, and no memory kept for later."""

from __future__ import annotations

from typing import Any


def session_options(threads: int = 1) -> Any:
    """Return the options of a session that computes with so many ``threads``; errors alone are logged."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A thread that waits for its next step while it spins takes a core from somebody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What a long utterance or phrase took is given back; kept for the next one, it would be there for good.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return options
