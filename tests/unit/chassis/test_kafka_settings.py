"""Settings for Kafka that cannot work are found before anything connects, each in a sentence that says what to set."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from chassis.process.kafka_settings import kafka
from chassis.process.settings import ServiceSettings
from tests.stack.authority import Authority

NOW: Final = datetime.now(UTC)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def found(now: datetime = NOW, **settings: Any) -> list[str]:
    named: dict[str, Any] = {f"kafka_security_{name}": str(value) for name, value in settings.items()}
    return list(kafka(ServiceSettings(**named), now=now))


def test_nothing_is_wrong_with_what_works(ours: Authority) -> None:
    certificate, key = ours.signed("service", password=b"secret")
    mutual: dict[str, Any] = {
        "certfile": certificate,
        "keyfile": key,
        "keyfile_password": "secret",
        "cafile": ours.cafile,
    }

    assert found() == []
    assert found(protocol="SSL", cafile=ours.cafile) == []
    assert found(protocol="SSL", **mutual) == []
    assert found(protocol="SASL_SSL", username="service", password="secret", **mutual) == []


def test_a_user_without_a_name_or_a_password_is_found() -> None:
    first, second = found(protocol="SASL_SSL")

    assert (first.split()[0], second.split()[0]) == ("KAFKA_SECURITY_USERNAME", "KAFKA_SECURITY_PASSWORD")


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_a_certificate_that_is_never_shown_is_found(ours: Authority, protocol: str) -> None:
    certificate, _ = ours.signed("service")

    [sentence] = found(protocol=protocol, certfile=certificate, username="service", password="secret")

    assert "KAFKA_SECURITY_CERTFILE is set and Kafka is not encrypted" in sentence


def test_a_key_without_its_certificate_is_found(ours: Authority) -> None:
    _, key = ours.signed("service")

    assert found(protocol="SSL", keyfile=key) == [
        "KAFKA_SECURITY_KEYFILE is set and KAFKA_SECURITY_CERTFILE is not: set both."
    ]


def test_each_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"

    said = found(protocol="SSL", cafile=nowhere, certfile=nowhere, keyfile=nowhere)

    assert [sentence.split()[0] for sentence in said] == [
        "KAFKA_SECURITY_CAFILE",
        "KAFKA_SECURITY_CERTFILE",
        "KAFKA_SECURITY_KEYFILE",
    ]
    assert str(tmp_path) not in str(said)


@pytest.mark.parametrize(("days", "says"), [(-3, "is good from"), (3, "expired at")], ids=["not yet good", "over"])
def test_a_certificate_outside_its_time_is_found(ours: Authority, days: int, says: str) -> None:
    certificate, key = ours.signed("service")

    [sentence] = found(NOW + timedelta(days=days), protocol="SSL", certfile=certificate, keyfile=key)

    assert f"KAFKA_SECURITY_CERTFILE {says}" in sentence


@pytest.mark.parametrize("password", ["", "another"])
def test_a_key_that_does_not_open_is_found(ours: Authority, password: str) -> None:
    """Without a password OpenSSL would ask the terminal: the process would stand still."""
    certificate, key = ours.signed("service", password=b"secret")

    [sentence] = found(protocol="SSL", certfile=certificate, keyfile=key, keyfile_password=password)

    assert "KAFKA_SECURITY_KEYFILE_PASSWORD" in sentence


def test_a_key_of_another_certificate_is_found(ours: Authority) -> None:
    certificate, _ = ours.signed("service")
    _, key = ours.signed("other")

    [sentence] = found(protocol="SSL", certfile=certificate, keyfile=key)

    assert sentence.startswith("KAFKA_SECURITY_KEYFILE is no key of")


def test_files_that_hold_something_else_are_found(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_text("no certificate")

    authority, certificate = found(protocol="SSL", cafile=noise, certfile=noise)

    assert authority.startswith("KAFKA_SECURITY_CAFILE holds no certificate")
    assert certificate.startswith("KAFKA_SECURITY_CERTFILE holds no certificate")
