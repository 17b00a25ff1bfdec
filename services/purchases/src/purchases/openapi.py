"""Writes contracts/openapi/purchases.json: the API as it is served. `--check` only compares."""

from typing import Final

from fastapi import FastAPI
from pydantic import SecretStr

from chassis.database.database import Database
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.openapi import write_document
from contracts.schemas import ROOT
from purchases.main.api import app
from purchases.settings import Settings
from purchases.stripe_api.client import stripe_client

FILE: Final = ROOT / "openapi" / "purchases.json"


def described_app() -> FastAPI:
    """Return the app, connected to nothing: enough to be described."""
    verifier = TokenVerifier(Jwks("https://issuer.example/jwks.json"), "https://issuer.example", "quittance")
    key = SecretStr("sk_test_description")
    settings = Settings(app_env="local", database_url="postgresql://", stripe_secret_key=key)
    database = Database(settings.database_url, name="purchases-api")
    client = stripe_client(secret_key=settings.stripe_secret_key.get_secret_value(), api_base=None)
    return app(settings=settings, database=database, client=client, verifier=verifier)


if __name__ == "__main__":
    write_document(described_app(), FILE)
