"""Writes contracts/openapi/webhook_gateway.json: the API as it is served. `--check` only compares."""

from typing import Final

from fastapi import FastAPI

from chassis.web.openapi import write_document
from contracts.schemas import ROOT
from webhook_gateway.main import public_app
from webhook_gateway.settings import GatewaySettings

FILE: Final = ROOT / "openapi" / "webhook_gateway.json"


def described_app() -> FastAPI:
    """Build the app, connected to nothing: enough to be described."""
    return public_app(GatewaySettings(app_env="local"))


if __name__ == "__main__":
    write_document(described_app(), FILE)
