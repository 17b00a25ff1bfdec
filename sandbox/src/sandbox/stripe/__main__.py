"""`python -m sandbox.stripe`: the sandbox as one process."""

import argparse
import time
from collections.abc import Sequence

import uvicorn

from sandbox.ports import KEEP_ALIVE_SECONDS
from sandbox.stripe import versions
from sandbox.stripe.account import Settings
from sandbox.stripe.app import create_app, endpoint_of
from sandbox.stripe.model import WebhookEndpoint


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; nothing is kept."""
    options = _parser().parse_args(arguments)
    public_url = options.public_url or f"http://{options.host}:{options.port}"
    settings = Settings(public_url=public_url.rstrip("/"), api_version=options.account_version)
    app = create_app(settings=settings, endpoints=_endpoints(options))
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_level="critical",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        access_log=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )


def _endpoints(options: argparse.Namespace) -> tuple[WebhookEndpoint, ...]:
    if not options.endpoint:
        return ()
    secrets, now = tuple(options.secret), int(time.time())
    return tuple(
        endpoint_of(url=url, secrets=secrets, api_version=options.api_version, created=now) for url in options.endpoint
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--public-url", help="where a browser reaches this sandbox")
    parser.add_argument("--account-version", default=versions.CURRENT, help="version of requests without one")
    parser.add_argument("--endpoint", action="append", metavar="URL", help="send every event here")
    parser.add_argument("--secret", action="append", default=[], metavar="whsec_…", help="sign with it; repeatable")
    parser.add_argument("--api-version", help="version of the endpoints given here")
    return parser


if __name__ == "__main__":
    main()
