"""`python -m sandbox.issuer --port N --issuer URL --audience NAME`; with `--client-id` people can sign in, too."""

import argparse

import uvicorn

from sandbox.issuer import Client, Issuer, application
from sandbox.ports import KEEP_ALIVE_SECONDS, LOOPBACK


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.issuer", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--issuer", help="what `iss` says, and where browsers find us; the address by default")
    parser.add_argument("--audience", default="quittance")
    parser.add_argument("--client-id", help="of the one application that people sign in to with a browser")
    parser.add_argument("--client-secret", default="")
    parser.add_argument("--redirect-uri", default="")
    options = parser.parse_args()
    name = options.issuer or f"http://{options.host}:{options.port}"
    client = _client(options) if options.client_id else None
    app = application(Issuer(issuer=name, audience=options.audience), client)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", timeout_keep_alive=KEEP_ALIVE_SECONDS)


def _client(options: argparse.Namespace) -> Client:
    return Client(client_id=options.client_id, secret=options.client_secret, redirect_uri=options.redirect_uri)


if __name__ == "__main__":
    main()
