"""Hashes (SHA-256) of the secrets that this repository publishes: none of them protects anything.

A test reads the whole tree, so that a secret that is published anew must be added here; none is ever taken out, for the
history is public too.
"""

from collections.abc import Mapping
from typing import Final

PUBLISHED: Final[Mapping[str, str]] = {
    "c12a28492e130bba8fe7e45c2d7ab3ca3eb3021876166a0864a7b93a7fc0decb": "docker-compose.yml, deploy/docker/stack.json",
    "17327e264ca750bd32f5a7747f3aa612cf138b56fb26be387ecbd1e6cfb4bbb6": "tests/unit/webhook_gateway",
    "3e3b8e62bf5a327516b3c6b3aa9cb0fa64e50180d823a518053924cd43693c55": "tests/unit/webhook_gateway",
    "a8cd901d7a9581982f8854cb5b7e19416319b7305479e5d6ac8c216b5725a32b": "tests/unit/chassis/test_settings.py",
    "9fb3018c97d33950b6821b47120f5a6dcaa5bfa055de50ed09def863a6eea253": "the sandbox, docker-compose.yml",
    "a83baeb951d82a021105c60556bac44756fe337a6d03359cf22dd5d2d9c59a8c": "docker-compose.yml: SESSION_SECRET",
    "df3e273412ba144f9fd8c306e631774d1b38442104e46b34cc8b1267825d2173": "the sandbox: SESSION_SECRET",
    "dacb793352cc19fb8e9865aadea5f49e77ae7b8f1c7b9a25cd4dd8d140de7084": "docker-compose.yml: OIDC_CLIENT_SECRET",
    "48b9c8f337fee5a5f2a3278cf006f0bb9e183bf54c7f1e53c0b32c510e96badd": "the sandbox: OIDC_CLIENT_SECRET",
    "d22eaf6da30476e40e297971ede7183e1875744557ef8e41c4d43f6c5bb27b1f": "docker-compose.yml: a database's password",
    "7696ba3f3ecd2a1755185bece12ab3ddcf087e268feb8b739785e39f3e510c70": "docker-compose.yml: a database's password",
    "abdfd7134f93e00ec4852daf08b8c18dc519a1376a68b1b3afe1f56ce0bfe3d7": "docker-compose.yml: a database's password",
    "59f000a9502b8f0b5a9a4b8025df77f625fa071c406be61bb6c96ada45c9771d": "docker-compose.yml: a database's password",
    "aff18f39f7a3aba1e97ce69a11776667cec0ae07d77fb166bdac0e82d2e9c983": "services/purchases/src/purchases/openapi.py",
    "29fa96143b288d08c94bd087b9eeb17fd433f1c95bf36acb5f77357969de2071": "tests/unit/catalog",
}
"""Hash → where it stands."""
