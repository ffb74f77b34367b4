"""Logs: one JSON object a line on standard error, those of libraries too, and no secret in any of them."""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import SecretStr
from structlog.typing import Processor

from voice_trio.environment import FromEnvironment

_HIDDEN = "[secret]"

_LOOKS_SECRET = re.compile(r"(?i)\bbearer[ .][\w.~+/=-]+|\bsk-[\w-]{8,}")
"""Tokens as a handshake carries them, and keys of the usual APIs, also those that this process was not given."""


def configure(level: str, secrets: Iterable[str] = ()) -> None:
    """Write log lines of ``level`` (a name of `logging`'s) and above to standard error, without ``secrets``.

    What libraries log comes as the same objects, from WARNING on: below that, some of them log what was said.
    """
    global _redaction
    _redaction = _Redaction(secrets)
    number = logging.getLevelNamesMapping()[level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    spell: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
        _redaction,
    ]
    structlog.configure(
        processors=[*shared, *spell],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *spell],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def hide(secrets: Iterable[str]) -> None:
    """Keep ``secrets`` too out of all that is logged from now on."""
    _redaction.hide(secrets)


def secrets_of(settings: FromEnvironment) -> list[str]:
    """Return every key and token in ``settings``, and the password in an address that is secret."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return [*secrets, *(password for secret in secrets for password in _passwords_in(secret))]


def _passwords_in(secret: str) -> Iterator[str]:
    """Yield the password in ``secret``, as it is written and as it is meant, where that is an address."""
    with suppress(ValueError):
        if "://" in secret and (password := urlsplit(secret).password):
            yield from {password, unquote(password)}


class _Redaction:
    """The last processor: takes secrets out of the finished line, wherever in it they are."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: list[str] = []
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        forms = set(self._forms)
        for secret in filter(None, secrets):
            packed = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
            forms |= {secret, json.dumps(secret)[1:-1], packed}
        # The longest first, or a short secret would be taken out of the middle of a long one.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, logger: object, method: str, line: object) -> str:
        text = str(line)
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return _LOOKS_SECRET.sub(_HIDDEN, text)


_redaction = _Redaction(())
