"""Every page: the policy that it is sent with, its look, and what stands on it when something goes wrong."""

import re

import httpx
import pytest

from chassis.pages import Pages, PageSettings
from chassis.pages.site import PagesNotSetUp
from chassis.process.settings import ServiceSettings
from chassis.web.server import HttpServer
from sandbox.issuer import Issuer
from sandbox.ports import LOOPBACK
from tests.forms import form_to
from tests.integration.chassis_pages.conftest import BANK, ORIGIN, Site, make_site

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self' https://checkout.example; base-uri 'none'; frame-ancestors 'none'"
)
MARKUP = '"><script>alert(1)</script>'


def parameters(page: httpx.Response) -> str:
    """The content of a page as one line of text."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.text.partition("<main")[2]).split())


@pytest.mark.parametrize("path", ["/notes", "/notes/staff", "/notes/nothing/here", "/notes/away"])
async def test_every_page_also_of_a_problem_has_the_strict_policy_and_is_kept_nowhere(site: Site, path: str) -> None:
    async with site.visitor(token=site.token()) as visitor:
        headers = (await visitor.get(path)).headers

    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("app_env", "expected"), [("production", "max-age=31536000"), ("local", None)])
async def test_where_real_people_come_browsers_must_use_tls(
    issuer: tuple[Issuer, str], app_env: str, expected: str | None
) -> None:
    async with make_site(*issuer, app_env=app_env).visitor() as visitor:
        headers = (await visitor.get("/session/signed-out")).headers

    assert headers.get("strict-transport-security") == expected


@pytest.mark.parametrize(
    ("setting", "value"), [("SUPPORT_EMAIL", ""), ("SUPPORT_EMAIL", "later"), ("PUBLIC_BASE_URL", "pages.example")]
)
def test_pages_for_real_people_do_not_start_without_their_address_and_one_for_questions(
    setting: str, value: str
) -> None:
    set_up = {"public_base_url": ORIGIN, "support_email": "help@pages.example"} | {setting.lower(): value}

    with pytest.raises(PagesNotSetUp, match=setting):
        Pages(
            package="tests.integration.chassis_pages",
            settings=ServiceSettings(app_env="production", **set_up),  # type: ignore[arg-type]
            page_settings=PageSettings(),
            nav=lambda _request, _person: [],
            words={},
        )


async def test_a_page_has_no_inline_script_or_style_and_asks_nobody_else(site: Site) -> None:
    async with site.visitor(token=site.token()) as visitor:
        page = await visitor.get("/notes")

    assert re.findall(r"<script(?![^>]*src=)|<style|style=|\son\w+=|javascript:", page.text) == []
    assert all(url.startswith("/") for url in re.findall(r'(?:src|href)="(?!mailto:|#)([^"]+)"', page.text))


async def test_what_a_page_needs_is_served_once_and_kept_for_a_year(site: Site) -> None:
    async with site.visitor(token=site.token()) as visitor:
        page = await visitor.get("/notes")
        files = [await visitor.get(url) for url in re.findall(r'"(/assets/[^"]+)"', page.text)]

    assert len(files) == 4
    assert all(file.status_code == 200 and "immutable" in file.headers["cache-control"] for file in files)


async def test_a_page_of_another_release_gets_the_files_there_are_and_keeps_none(site: Site) -> None:
    async with site.visitor() as visitor:
        css, none = await visitor.get("/assets/000000000000/pages.css"), await visitor.get("/assets/0/nothing.css")

    assert (css.status_code, css.headers["cache-control"]) == (200, "no-cache")
    assert none.status_code == 404


@pytest.mark.parametrize(
    ("languages", "amount"),
    [
        ("", "€499.00"),
        ("de-DE,de;q=0.9,en;q=0.8", "499,00\N{NO-BREAK SPACE}€"),
        ("xx-YY;q=0.9, fr;q=0.8, en;q=0.1", "499,00\N{NO-BREAK SPACE}€"),
        ("en;q=0, de", "499,00\N{NO-BREAK SPACE}€"),
        ("../../etc/passwd,\x7f;q=9, *", "€499.00"),
    ],
)
async def test_amounts_are_written_as_the_visitor_reads_them(site: Site, languages: str, amount: str) -> None:
    async with site.visitor(token=site.token(), headers={"Accept-Language": languages}) as visitor:
        page = await visitor.get("/notes")

    assert f'<p id="money">{amount}</p>' in page.text
    (time,) = re.findall(r'<time datetime="2026-03-04T15:00:00\+00:00" data-shown="moment">(.+?)</time>', page.text)
    assert time.endswith(" UTC")


async def test_markup_in_a_text_comes_out_as_text(site: Site) -> None:
    async with site.visitor(token=site.token(email=MARKUP)) as visitor:
        page = await visitor.get("/notes", params={"text": MARKUP})

    assert "<script>alert" not in page.text
    assert page.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3  # the notice, the field, who is signed in


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://pages.example.evil.example", None])
async def test_only_our_own_pages_change_anything(site: Site, origin: str | None) -> None:
    async with site.visitor(token=site.token()) as visitor:
        del visitor.headers["origin"]
        page = await visitor.post("/notes", data={"text": "mine"}, headers={"Origin": origin} if origin else {})

    assert (page.status_code, site.kept) == (403, [])
    assert "another site" in parameters(page)


async def test_a_browser_that_sends_no_origin_is_known_by_its_referrer(site: Site) -> None:
    async with site.visitor(token=site.token()) as visitor:
        del visitor.headers["origin"]
        page = await visitor.post("/notes", data={"text": "mine"}, headers={"Referer": f"{ORIGIN}/notes"})

    assert (page.status_code, site.kept) == (303, ["olga: mine"])


async def test_a_problem_is_a_page_for_people_with_its_own_status(site: Site) -> None:
    async with site.visitor(token=site.token()) as visitor:
        late, wrong = await visitor.post("/notes/late"), await visitor.post("/notes", data={"text": "a" * 21})
        staff, nothing = await visitor.get("/notes/staff"), await visitor.get("/notes/a/b")

    assert (late.status_code, late.headers["retry-after"]) == (409, "7")
    assert "It is &lt;late&gt; It was too late. Nothing was charged." in parameters(late)
    assert wrong.status_code == 422
    assert "Text: At most 20 characters, please." in parameters(wrong)
    assert staff.status_code == 403
    assert "Ask the owner of your workspace" in parameters(staff)
    assert nothing.status_code == 404
    assert all(page.headers["content-type"].startswith("text/html") for page in (late, wrong, staff, nothing))


@pytest.mark.parametrize("path", ["/notes", "/notes/staff", "/notes/a/b", "/session/sign-in", "/assets/0/pages.css"])
@pytest.mark.parametrize("signed_in", [True, False])
async def test_who_asks_for_the_head_of_a_page_gets_what_the_page_has_but_its_body(
    site: Site, path: str, signed_in: bool
) -> None:
    cookies = {site.cookie: site.token()} if signed_in else {}
    async with (
        HttpServer(site.app, LOOPBACK, 0) as server,
        httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{server.port}", cookies=cookies) as probe,
    ):
        head, page = await probe.head(path), await probe.get(path)  # on one connection: a body would be in the way

    assert head.status_code == page.status_code
    assert head.headers.get("content-length") == page.headers.get("content-length")
    assert set(head.headers) == set(page.headers)


@pytest.mark.parametrize(("path", "status"), [("/notes/staff", 403), ("/notes/a/b", 404)])
async def test_who_is_not_let_in_reads_what_was_looked_up_for_them_or_what_is_known_without(
    site: Site, path: str, status: int
) -> None:
    async with site.visitor(token=site.token(), headers={"Accept": PEOPLE}) as visitor:
        page, in_an_outage = await visitor.get(path), await visitor.get(f"{path}?away=1")

    assert (page.status_code, in_an_outage.status_code) == (status, status)
    assert "You can open: Looked up Questions?" in parameters(page)
    assert "You can open: Notes Questions?" in parameters(in_an_outage)


PEOPLE, PROGRAM, ANYONE = "text/html,application/xhtml+xml,*/*;q=0.8", "application/json", "*/*"


@pytest.mark.parametrize(
    ("method", "path", "accept", "status", "kind"),
    [
        ("GET", "/notes/a/b", PEOPLE, 404, "text/html"),
        ("GET", "/notes/a/b", ANYONE, 404, "text/html"),
        ("GET", "/notes/a/b", PROGRAM, 404, "application/problem+json"),
        ("GET", "/elsewhere", PEOPLE, 404, "text/html"),
        ("GET", "/elsewhere", ANYONE, 404, "application/problem+json"),
        ("GET", "/notesandmore", ANYONE, 404, "application/problem+json"),
        ("POST", "/notes/a/b", PEOPLE, 404, "text/html"),
        ("DELETE", "/notes", PEOPLE, 405, "text/html"),
        ("DELETE", "/notes", PROGRAM, 405, "application/problem+json"),
    ],
)
async def test_what_is_no_page_is_answered_as_one_to_people_and_as_a_problem_to_programs(
    site: Site, method: str, path: str, accept: str, status: int, kind: str
) -> None:
    async with site.visitor(token=site.token(email="olga@acme.test"), headers={"Accept": accept}) as visitor:
        answer = await visitor.request(method, path)

    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
    assert ("olga@acme.test" in answer.text) == (kind == "text/html")
    assert answer.headers.get("allow") == ("GET, HEAD, POST" if status == 405 else None)


@pytest.mark.parametrize(
    ("method", "address", "status", "led_to"),
    [
        ("GET", "/notes/?text=a%26b", 303, "/notes?text=a%26b"),
        ("GET", "/notes/a/b/", 404, None),
        ("POST", "/notes/", 404, None),
        ("GET", "//evil.example/", 404, None),
        ("GET", "/", 404, None),
    ],
)
async def test_a_slash_too_many_leads_to_the_page_and_never_to_somebody_else(
    site: Site, method: str, address: str, status: int, led_to: str | None
) -> None:
    async with site.visitor(token=site.token(), headers={"Accept": PEOPLE}) as visitor:
        answer = await visitor.request(method, f"{ORIGIN}{address}")

    assert (answer.status_code, answer.headers.get("location")) == (status, led_to)


async def test_an_error_of_ours_says_the_truth_and_nothing_of_our_inside(site: Site) -> None:
    async with site.visitor(token=site.token()) as visitor:
        broken = await visitor.post("/notes/broken", data={"text": 'a "long" <text>', "key": "k1"})
        away = await visitor.get("/notes/away")

    assert (broken.status_code, away.status_code) == (500, 503)
    assert "We cannot say here how far it got. What you typed is kept on this page" in parameters(broken)
    assert form_to(broken, "/notes/broken").fields == [("text", 'a "long" <text>'), ("key", "k1")]
    assert "<form" not in away.text.partition("<main")[2]
    assert "hunter2" not in broken.text
    assert "db.internal" not in away.text


async def test_one_leaves_for_a_strangers_page_by_a_page_of_ours(site: Site) -> None:
    async with site.visitor() as visitor:
        page = await visitor.get("/notes/bank")

    assert (200, f"0; url={BANK}") == (page.status_code, page.headers["refresh"])
    assert 'href="https://bank.example/confirm?id=1&amp;x=2"' in page.text
