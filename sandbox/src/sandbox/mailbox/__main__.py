"""`python -m sandbox.mailbox --smtp-port N --http-port N`: one process with both sides."""

import argparse

import uvicorn

from sandbox.mailbox.api import application
from sandbox.mailbox.mails import Mails
from sandbox.mailbox.smtp import SmtpServer
from sandbox.ports import KEEP_ALIVE_SECONDS, LOOPBACK


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.mailbox", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--smtp-port", type=int, default=1025)
    parser.add_argument("--http-port", type=int, default=8025)
    options = parser.parse_args()
    mails = Mails()
    smtp = SmtpServer(mails, host=options.host, port=options.smtp_port)
    uvicorn.run(
        application(mails, smtp),
        host=options.host,
        port=options.http_port,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    main()
