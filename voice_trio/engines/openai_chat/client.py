"""The one HTTP client of the language model: its address, its key, and what the environment says about its way there.

The SDK and its HTTP client read a dozen environment variables by themselves. Those that lead to the address are read
here, so that one that cannot work is named at the start; see also `proxy`.
"""

from __future__ import annotations

import logging
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_trio import checks
from voice_trio.config import ConfigError, Settings
from voice_trio.engines.openai_chat.given import GivenSettings
from voice_trio.engines.openai_chat.proxy import Proxy, is_this_machine, proxy_for

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
"""Where a key alone leads to."""
OPENAI_MODEL = "gpt-4o-mini"
"""What is asked for where no model is named."""

_PLACEHOLDER_KEY = "none"
"""For servers that ask for none; the SDK insists on one."""
_CONNECT_S = 2.0

_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
"""Names under which OpenSSL looks for a certificate in a folder."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A language model's server, as far as it is known before anything was asked."""

    client: AsyncOpenAI
    address: str
    """Fit to be shown: without a name, a password or a query."""
    own_address: bool
    """Whether the operator chose it."""
    metered: bool
    """Whether somebody pays for what it writes: it takes a key, and is not on this machine."""
    proxy: Proxy | None
    found: str = ""
    """What runs there, where it was found on this machine and nobody named it."""
    given: bool = False
    """Whether a person named it at the page, and not the operator in the environment."""

    @property
    def setting(self) -> str:
        """What to check where it cannot be reached: nobody is to look for a fault in what they never set."""
        if self.found:
            return f"whether {self.found} still runs"
        if self.given and self.own_address:
            return "the address in the settings"
        return "OPENAI_BASE_URL" if self.own_address else "this machine's network"

    @property
    def model_setting(self) -> str:
        """What to check where it has no such model."""
        if self.found:
            return f"whether {self.found} still has it"
        if self.given:
            return "its name in the settings"
        return "STREAM_LLM_MODEL and OPENAI_BASE_URL" if self.own_address else "STREAM_LLM_MODEL"

    @property
    def setting_of_name(self) -> str:
        """What to check where it does not like what is asked of it."""
        return "its name in the settings" if self.given else "STREAM_LLM_MODEL"

    @property
    def setting_of_key(self) -> str:
        """What to check where the key is refused."""
        return "the key in the settings" if self.given else "OPENAI_API_KEY"

    @property
    def way(self) -> str:
        """What an error has to add about how it was asked, if anything."""
        return f" It was asked through the proxy of {self.proxy.variable}." if self.proxy else ""


def is_configured(settings: Settings) -> bool:
    """Say whether ``settings`` name a language model: a key, or an address, or both."""
    return bool(_key(settings) or settings.openai_base_url)


def open_upstream(settings: Settings, found: str = "") -> Upstream:
    """Return the server that ``settings`` name, with a client for it, which is to be closed; blocks.

    ``found`` is what runs there, where it was found and not named: it is sent nothing of what the environment has for
    the API that people name. What a person gave at the page (`GivenSettings`) is not either.

    Importing the SDK takes half a second, and making its client reads the certificates. Not from within Trio. Raises
    `ConfigError`.
    """
    import httpx2
    import openai

    from voice_trio.engines.openai_chat.http import look_at_head, rehearse

    # OPENAI_LOG would have the SDK log what is said, whatever the level of our log is.
    logging.getLogger("openai").setLevel(logging.NOTSET)
    url = httpx2.URL(settings.openai_base_url or OPENAI_URL)
    proxy = None if found else proxy_for(url)
    key = _key(settings) or _PLACEHOLDER_KEY
    given = isinstance(settings, GivenSettings)
    headers: dict[str, Any] = {"Accept-Encoding": "identity"}
    if found or given:
        headers |= _hidden_headers(key)
    else:
        _check_headers()
    timeout = openai.Timeout(settings.llm_first_token_s, connect=_CONNECT_S)
    try:
        http_client = openai.DefaultAsyncHttpxClient(
            # Of a plain address on this machine no certificate is asked for.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if found else trust(),
            proxy=None if proxy is None else proxy.url,
            trust_env=False,
            timeout=timeout,
            event_hooks={"response": [look_at_head]},
        )
    except ImportError as error:
        assert proxy is not None
        raise ConfigError(f"{proxy.variable} is a SOCKS proxy, which takes a package: pip install socksio") from error
    client = openai.AsyncOpenAI(
        api_key=key,
        organization=_header("OPENAI_ORG_ID"),
        project=_header("OPENAI_PROJECT_ID"),
        base_url=url,
        max_retries=0,
        timeout=timeout,
        default_headers=headers,
        http_client=http_client,
    )
    # Otherwise a person's first turn would wait for it, and everybody else's with it.
    rehearse()
    metered = bool(_key(settings)) and not is_this_machine(url.host)
    return Upstream(client, _shown(url), bool(settings.openai_base_url), metered, proxy, found, given)


def distrusted(error: BaseException | None) -> str | None:
    """Return why the server's certificate was not trusted, None where ``error`` comes of something else."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return str(error.verify_message).rstrip(".")
        error = error.__cause__ or error.__context__
    return None


def _key(settings: Settings) -> str:
    return settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""


def _shown(url: httpx2.URL) -> str:
    """Return ``url`` without a name, a password or a query, which may be secrets."""
    return str(url.copy_with(username=None, password=None, query=None)).rstrip("/")


def trust() -> ssl.SSLContext:
    """Return the authorities to trust: those of SSL_CERT_FILE, else SSL_CERT_DIR, else this machine's."""
    import httpx2

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if folder and not file and not any(map(_holds_certificates, folder.split(os.pathsep))):
        raise ConfigError(
            f"SSL_CERT_DIR is {checks.quoted(folder)}, where there is no certificate under a hashed name (as `openssl "
            "rehash` gives them): correct it, or unset it to trust what this machine trusts"
        )
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        reason = error.strerror if error.errno and not isinstance(error, ssl.SSLError) else "it is no PEM"
        raise ConfigError(
            f"SSL_CERT_FILE is {checks.quoted(file)}, which holds no certificate that can be read ({reason}): correct "
            "it, or unset it to trust what this machine trusts"
        ) from error


def _holds_certificates(folder: str) -> bool:
    try:
        return any(_HASHED.fullmatch(path.name) for path in Path(folder).iterdir())
    except OSError:
        return False


def _header(variable: str) -> str | None:
    """Return what the SDK puts into a header from ``variable``."""
    value = os.environ.get(variable)
    return None if value is None else value.strip()


def _hidden_headers(key: str) -> dict[str, Any]:
    """Return what keeps the SDK from sending the headers that the environment has for somebody else."""
    from openai import Omit

    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    names = ["OpenAI-Organization", "OpenAI-Project", *(line.partition(":")[0].strip() for line in lines)]
    # Named here, or the SDK would take one of the environment's.
    return {name: Omit() for name in names} | {"Authorization": f"Bearer {key}"}


def _check_headers() -> None:
    """Refuse headers in the environment that cannot be sent. Their values are not shown: one may be a key."""
    for variable in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        if not _fits("name", _header(variable) or ""):
            raise ConfigError(f"{variable} holds characters that no header can carry: correct it or unset it")
    for number, line in enumerate(os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n"), start=1):
        name, colon, value = line.partition(":")
        if line.strip() and not (colon and _fits(name.strip(), value.strip())):
            raise ConfigError(f"OPENAI_CUSTOM_HEADERS: line {number} is no header that can be sent, 'Name: value'")


def _fits(name: str, value: str) -> bool:
    """Return whether a header can be sent, by the library that will write it, and read by the server."""
    import h11

    if not value.replace("\t", " ").isprintable():
        return False
    try:
        headers = [(b"Host", b"x"), (name.encode("ascii"), value.encode("ascii"))]
        h11.Request(method="POST", target="/", headers=headers)
    except (UnicodeEncodeError, h11.LocalProtocolError):
        return False
    return True
