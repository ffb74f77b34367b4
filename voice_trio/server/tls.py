"""TLS: with the operator's certificate, or with one made up at the start.

A page gets at the microphone only over HTTPS or on localhost, so a phone on the local network needs this. For a
certificate that nobody signed a browser asks after each start whether to go on; its fingerprint is printed to compare.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass

from voice_trio.config import Settings
from voice_trio.server.addresses import is_everywhere, lan_address
from voice_trio.server.listening import CannotListen, bare_host


@dataclass(frozen=True, slots=True)
class Tls:
    """What the server proves itself with."""

    context: ssl.SSLContext
    fingerprint: str | None = None
    """SHA-256 of a certificate made up at the start, as browsers show it."""


def open_tls(settings: Settings) -> Tls | None:
    """Return what ``settings`` want, None for plain HTTP. Raises `CannotListen`."""
    if bool(settings.certfile) != bool(settings.keyfile):
        raise CannotListen("TLS needs both STREAM_CERTFILE and STREAM_KEYFILE.")
    if not settings.certfile and not settings.tls_self_signed:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if settings.certfile:
        try:
            context.load_cert_chain(settings.certfile, settings.keyfile)
        except (OSError, ssl.SSLError) as error:
            raise CannotListen(
                f"Cannot use {settings.certfile} with {settings.keyfile}: {error.strerror or error}."
            ) from error
        return Tls(context)
    # Only here: it takes a tenth of a second to import, and few need it.
    import trustme

    certificate = trustme.CA(organization_name="voice_trio").issue_cert(*_names(settings.host))
    certificate.configure_cert(context)
    pem = certificate.cert_chain_pems[0].bytes().decode()
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return Tls(context, ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))


def _names(host: str) -> list[str]:
    """Return every name and address by which a client may call the server."""
    here = [lan_address("0.0.0.0"), lan_address("::")]
    # A client leaves out on which link of its own an address is.
    given = None if is_everywhere(bare_host(host)) else bare_host(host).partition("%")[0]
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *here, given]
    return list(dict.fromkeys(name for name in names if name))
