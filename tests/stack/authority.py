"""A certificate authority of a test's own: it signs for brokers and for those that connect to them."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

A_DAY: Final = timedelta(days=1)


class Authority:
    """Writes PEM files into `directory`."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = (
            _about(_named(name), _named(name), self._key.public_key(), datetime.now(UTC))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.cafile = self._written(f"{name}.crt", _pem(self._certificate))

    def signed(self, name: str, *, password: bytes = b"", days_ago: int = 0) -> tuple[Path, Path]:
        """A certificate for `name` on this machine, and its key; two days are good, which began `days_ago`."""
        key = ec.generate_private_key(ec.SECP256R1())
        began = datetime.now(UTC) - days_ago * A_DAY
        certificate = (
            _about(_named(name), _named(self._name), key.public_key(), began)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        kept = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)
        return self._written(f"{name}.crt", _pem(certificate)), self._written(f"{name}.key", pem)

    def for_a_broker(self) -> Path:
        """Key, certificate and ours in one file, as Kafka's PEM keystore wants them."""
        certificate, key = self.signed("broker")
        whole = key.read_bytes() + certificate.read_bytes() + self.cafile.read_bytes()
        return self._written("broker.pem", whole)

    def _written(self, name: str, content: bytes) -> Path:
        path = self._directory / name
        path.write_bytes(content)
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _about(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, began: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(began - A_DAY).not_valid_after(began + A_DAY)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
