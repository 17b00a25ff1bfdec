"""Write contracts/openapi/catalog.json: the API as it is served. `--check` only compares."""

from typing import Final

from fastapi import FastAPI

from catalog.main import NAME
from catalog.main.service import app
from chassis.database.database import Database
from chassis.process.settings import ServiceSettings
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from chassis.web.openapi import write_document
from contracts.schemas import ROOT

FILE: Final = ROOT / "openapi" / "catalog.json"


def described_app() -> FastAPI:
    """Build the app, connected to nothing: enough to be described."""
    verifier = TokenVerifier(Jwks("https://issuer.example/jwks.json"), "https://issuer.example", "quittance")
    return app(
        settings=ServiceSettings(app_env="local"), database=Database("postgresql://", name=NAME), verifier=verifier
    )


if __name__ == "__main__":
    write_document(described_app(), FILE)
