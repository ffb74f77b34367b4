"""The ids of conversations: nobody can guess one, and a store knows its own without keeping a list of them.

An id is a random name and a signature of it under the store's key. So a session that never says anything leaves
nothing behind, however many of those there are, and its id is still known as issued: after a restart, and after all
that was remembered of it was deleted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

KEY_BYTES = 32
_NAME_BYTES = 16
_SIGNATURE_BYTES = 12
"""Multiples of three fill base64 without padding; a forger would have 2**96 to try, through /ws."""

_PREFIX = "c"
"""So that no id begins with a dash, which a command line would take for an option."""


class Issuer:
    """Issues ids, and knows those that were issued with the same key (`KEY_BYTES` of chance)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self) -> str:
        """Return a new id."""
        name = _PREFIX + secrets.token_urlsafe(_NAME_BYTES)
        return name + self._signature(name)

    def knows(self, conversation: str) -> bool:
        """Return whether ``conversation``, any text at all, is an id that was issued."""
        if not conversation.isascii():
            return False
        name_chars = max(0, len(conversation) - _SIGNATURE_BYTES * 4 // 3)
        name, signature = conversation[:name_chars], conversation[name_chars:]
        return hmac.compare_digest(signature, self._signature(name))

    def _signature(self, name: str) -> str:
        digest = hmac.digest(self._key, name.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode()
