"""The HTTP side: Mailpit's API under /api/v1, pages for people, faults for tests."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.mailbox.faults import faults_from
from sandbox.mailbox.mails import Mail, Mails
from sandbox.mailbox.smtp import SmtpServer

_PAGES = Environment(loader=PackageLoader("sandbox.mailbox", "."), autoescape=select_autoescape())
_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; img-src data:"}


def application(mails: Mails, smtp: SmtpServer) -> Starlette:
    """Build the whole HTTP side; the SMTP side listens while it runs."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await smtp.start()
        yield
        smtp.stop()

    return Starlette(
        lifespan=lifespan,
        routes=[*_mailpit(mails), *_pages(mails), *_faults(smtp), Route("/livez", _ok), Route("/readyz", _ok)],
    )


def _mailpit(mails: Mails) -> list[Route]:
    async def listed(request: Request) -> Response:
        return _listing(list(mails), request)

    async def search(request: Request) -> Response:
        return _listing(mails.search(request.query_params.get("query", "")), request)

    async def one(request: Request) -> Response:
        return JSONResponse(_wanted(mails, request).full())

    async def headers(request: Request) -> Response:
        return JSONResponse(_wanted(mails, request).headers())

    async def raw(request: Request) -> Response:
        return PlainTextResponse(_wanted(mails, request).raw)

    async def forget(request: Request) -> Response:
        body = await request.body()
        mails.forget(json.loads(body).get("IDs") if body else None)
        return PlainTextResponse("ok")

    return [
        Route("/api/v1/messages", listed),
        Route("/api/v1/messages", forget, methods=["DELETE"]),
        Route("/api/v1/search", search),
        Route("/api/v1/message/{id}", one),
        Route("/api/v1/message/{id}/headers", headers),
        Route("/api/v1/message/{id}/raw", raw),
    ]


def _pages(mails: Mails) -> list[Route]:
    async def index(_request: Request) -> Response:
        return HTMLResponse(_PAGES.get_template("list.html").render(mails=list(mails)[:200], total=len(mails)))

    async def view(request: Request) -> Response:
        page = _PAGES.get_template("mail.html").render(mail=_wanted(mails, request))
        return HTMLResponse(page, headers=_POLICY)

    return [Route("/", index), Route("/view/{id}", view)]


def _faults(smtp: SmtpServer) -> list[Route]:
    async def shown(_request: Request) -> Response:
        return JSONResponse(asdict(smtp.faults))

    async def ordered(request: Request) -> Response:
        try:
            faults = faults_from(await request.json())
        except (ValueError, TypeError) as error:
            raise HTTPException(400, str(error)) from error
        await smtp.behave(faults)
        return await shown(request)

    return [Route("/_sandbox/faults", shown), Route("/_sandbox/faults", ordered, methods=["POST"])]


def _listing(found: list[Mail], request: Request) -> Response:
    start, limit = int(request.query_params.get("start", 0)), int(request.query_params.get("limit", 50))
    page = [mail.summary() for mail in found[start : start + limit]]
    counts = {"total": len(found), "unread": len(found), "count": len(page), "messages_count": len(found)}
    return JSONResponse({**counts, "start": start, "tags": [], "messages": page})


def _wanted(mails: Mails, request: Request) -> Mail:
    mail = mails.find(request.path_params["id"])
    if mail is None:
        raise HTTPException(404, "no such message")
    return mail


async def _ok(_request: Request) -> Response:
    return PlainTextResponse("ok")
