"""What is wrong with the settings for Kafka: a file that is missing, a certificate that is over, no password."""

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chassis.process.settings import ServiceSettings

FILES: Final = ("kafka_security_cafile", "kafka_security_certfile", "kafka_security_keyfile")


def kafka(settings: ServiceSettings, *, now: datetime | None = None) -> Iterable[str]:
    """Find what keeps a process from connecting to Kafka as its settings say, in a sentence each."""
    protocol = settings.kafka_security_protocol
    if protocol.startswith("SASL"):
        yield from _sign_in(settings)
    if not protocol.endswith("SSL"):
        yield from _unencrypted(settings)
        return
    unread = list(_unreadable_files(settings))
    yield from unread
    if not unread:
        yield from _certificates(settings, now or datetime.now(UTC))


def _sign_in(settings: ServiceSettings) -> Iterable[str]:
    if not settings.kafka_security_username:
        yield "KAFKA_SECURITY_USERNAME is not set: set it to the user that signs in to Kafka."
    if not settings.kafka_security_password.get_secret_value():
        yield "KAFKA_SECURITY_PASSWORD is not set: set it to the password of KAFKA_SECURITY_USERNAME."


def _unencrypted(settings: ServiceSettings) -> Iterable[str]:
    for name in FILES:
        if getattr(settings, name):
            yield f"{name.upper()} is set and Kafka is not encrypted: set KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL."


def _unreadable_files(settings: ServiceSettings) -> Iterable[str]:
    if settings.kafka_security_keyfile and not settings.kafka_security_certfile:
        yield "KAFKA_SECURITY_KEYFILE is set and KAFKA_SECURITY_CERTFILE is not: set both."
    for name in FILES:
        path = getattr(settings, name)
        try:
            if path:
                Path(path).read_bytes()
        except OSError as error:
            yield f"{name.upper()} cannot be read ({error.strerror}): mount the file, for the user that runs this."


def _certificates(settings: ServiceSettings, now: datetime) -> Iterable[str]:
    if settings.kafka_security_cafile:
        yield from _authorities(settings.kafka_security_cafile)
    if settings.kafka_security_certfile:
        yield from _our_certificate(settings, settings.kafka_security_certfile, now)


def _authorities(path: str) -> Iterable[str]:
    try:
        ssl.create_default_context(cafile=path)
    except OSError:
        yield "KAFKA_SECURITY_CAFILE holds no certificate in PEM: set the one of Kafka's authority."


def _our_certificate(settings: ServiceSettings, path: str, now: datetime) -> Iterable[str]:
    from cryptography import x509  # by who has a certificate only: most processes do without it

    try:
        ours, *_ = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except ValueError:
        yield "KAFKA_SECURITY_CERTFILE holds no certificate in PEM: set the one that Kafka knows us by."
        return
    if now >= ours.not_valid_after_utc:
        yield f"KAFKA_SECURITY_CERTFILE expired at {ours.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: renew it."
    if now < ours.not_valid_before_utc:
        yield f"KAFKA_SECURITY_CERTFILE is good from {ours.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: see the clock."
    password = settings.kafka_security_keyfile_password.get_secret_value
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path, settings.kafka_security_keyfile, password)
    except OSError:
        yield (
            "KAFKA_SECURITY_KEYFILE is no key of KAFKA_SECURITY_CERTFILE, or has another password: set both, and "
            "KAFKA_SECURITY_KEYFILE_PASSWORD where it has one."
        )
