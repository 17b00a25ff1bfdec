"""`python -m sandbox.front --port N --catalog URL --purchases URL --notifier URL`."""

import argparse

import uvicorn

from sandbox.front.proxy import application
from sandbox.ports import KEEP_ALIVE_SECONDS, LOOPBACK


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.front", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--purchases", required=True)
    parser.add_argument("--notifier", required=True)
    options = parser.parse_args()
    behind = {"catalog": options.catalog, "purchases-api": options.purchases, "notifier": options.notifier}
    app = application(behind)
    # The services' own Date and Server are passed on, and nobody is believed about where he comes from.
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        log_level="warning",
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.server_header = config.date_header = False
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
