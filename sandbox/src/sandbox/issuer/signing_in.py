"""OpenID Connect's code flow with PKCE: the page where one picks a person, and the exchange of the code."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.issuer.clients import Client
from sandbox.issuer.codes import Codes
from sandbox.issuer.pages import Pages
from sandbox.issuer.people import NobodyChosen, chosen
from sandbox.issuer.tokens import Issuer


def signing_in(issuer: Issuer, client: Client) -> list[Route]:
    """Return the routes of `client`."""
    codes, pages = Codes(), Pages(client)

    async def page(request: Request) -> Response:
        return _refused(request.query_params, issuer, client, pages) or pages.people(request.query_params)

    async def picked(request: Request) -> Response:
        query, form = request.query_params, _texts(await request.form())
        if refused := _refused(query, issuer, client, pages):
            return refused
        try:
            claims = chosen(form)
        except NobodyChosen as error:
            return pages.people(query, form, problem=str(error))
        code = codes.give(
            claims=claims,
            redirect_uri=client.redirect_uri,
            challenge=query["code_challenge"],
            nonce=query.get("nonce"),
        )
        return _back(issuer, client, query, code=code)

    async def exchange(request: Request) -> Response:
        form = _texts(await request.form())
        if not client.proves_itself(authorization=request.headers.get("authorization", ""), form=form):
            return _error("invalid_client", status=401)
        if form.get("grant_type") != "authorization_code":
            return _error("unsupported_grant_type")
        grant = codes.take(
            form.get("code", ""), redirect_uri=form.get("redirect_uri", ""), verifier=form.get("code_verifier", "")
        )
        if grant is None:
            return _error("invalid_grant")
        id_token = issuer.mint_id_token(claims=grant.claims, client_id=client.client_id, nonce=grant.nonce)
        answer = {"access_token": issuer.mint(grant.claims), "id_token": id_token}
        return _kept_nowhere(JSONResponse(answer | {"token_type": "Bearer", "expires_in": 3600}))

    async def end_session(request: Request) -> Response:
        """Nobody is remembered here, so there is nothing to end: back to where one came from."""
        query = request.query_params
        if not client.may_sign_out_to(query):
            return pages.refusal("Whoever sent you here is not registered, or named an address that is not theirs.")
        return _sent(query["post_logout_redirect_uri"], _state(query))

    return [
        Route("/authorize", page),
        Route("/oidc/logout", end_session),
        Route("/authorize", picked, methods=["POST"]),
        Route("/oidc/token", exchange, methods=["POST"]),
        Route("/sign-in.css", pages.stylesheet),
    ]


def _refused(query: Mapping[str, str], issuer: Issuer, client: Client, pages: Pages) -> Response | None:
    """Show the person an unknown client or address, send the client everything else. None: all is well."""
    if not client.is_asked_for(query):
        return pages.refusal("Whoever sent you here is not registered, or named an address that is not theirs.")
    if query.get("response_type") != "code":
        return _back(issuer, client, query, error="unsupported_response_type")
    if "openid" not in query.get("scope", "").split():
        return _back(issuer, client, query, error="invalid_scope")
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        return _back(
            issuer, client, query, error="invalid_request", error_description="code_challenge by S256 is required"
        )
    return None


def _back(issuer: Issuer, client: Client, query: Mapping[str, str], **parameters: str) -> Response:
    """Name in each answer who gives it. Source: https://www.rfc-editor.org/rfc/rfc9207#section-2."""
    return _sent(client.redirect_uri, parameters | _state(query) | {"iss": issuer.issuer})


def _state(query: Mapping[str, str]) -> dict[str, str]:
    return {"state": query["state"]} if "state" in query else {}


def _sent(address: str, parameters: Mapping[str, str]) -> Response:
    return _kept_nowhere(RedirectResponse(f"{address}?{urlencode(parameters)}", status_code=303))


def _error(name: str, *, status: int = 400) -> Response:
    return _kept_nowhere(JSONResponse({"error": name}, status_code=status))


def _kept_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _texts(form: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}
