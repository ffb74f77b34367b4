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
from voice_trio.server.listening import CannotListen


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
        _load(context, settings.certfile, settings.keyfile)
        return Tls(context)
    # Only here: it takes a tenth of a second to import, and few need it.
    import trustme

    certificate = trustme.CA(organization_name="voice_trio").issue_cert(*_names(settings.host))
    certificate.configure_cert(context)
    pem = certificate.cert_chain_pems[0].bytes().decode()
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return Tls(context, ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))


def _load(context: ssl.SSLContext, certfile: str, keyfile: str) -> None:
    """Have ``context`` prove itself with these files. Raises `CannotListen`."""
    try:
        context.load_cert_chain(certfile, keyfile, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = "the key is not that of the certificate"
        else:
            reason = f"they are not a certificate chain and its private key as PEM ({error.reason or 'unreadable'})"
        raise CannotListen(
            f"Cannot use {certfile} (STREAM_CERTFILE) with {keyfile} (STREAM_KEYFILE): {reason}."
        ) from error
    except OSError as error:
        # It does not say which of the two.
        bad = [name for name, file in (("STREAM_CERTFILE", certfile), ("STREAM_KEYFILE", keyfile)) if not _opens(file)]
        raise CannotListen(
            f"Cannot read what {' and '.join(bad) or 'STREAM_CERTFILE and STREAM_KEYFILE'} "
            f"{'name' if len(bad) != 1 else 'names'}: {error.strerror or error}."
        ) from error


def _no_password() -> str:
    # OpenSSL would ask at the terminal, and a server has nobody there.
    raise CannotListen("STREAM_KEYFILE is encrypted with a password, which nobody can enter here: give one without.")


def _opens(file: str) -> bool:
    try:
        with open(file, "rb"):
            return True
    except OSError:
        return False


def _names(host: str) -> list[str]:
    """Return every name and address by which a client may call the server."""
    here = [lan_address("0.0.0.0"), lan_address("::")]
    # A client leaves out on which link of its own an address is.
    given = None if is_everywhere(host) else host.partition("%")[0]
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *here, given]
    return list(dict.fromkeys(name for name in names if name))
