"""Bad input: a clear problem with a stable type, nothing done, never a 500."""

import json
from typing import Any

import httpx
import pytest

from chassis.web.limits import MAX_BODY
from tests.integration.chassis_http.conftest import FRONT_END, Service

GOOD = {"name": "Setup", "count": 1}
JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response) -> str:
    """The slug; checks what holds for every problem."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert body["title"]
    base, _, slug = body["type"].rpartition("/")
    assert base == "https://quittance.dev/problems"
    return str(slug)


async def test_a_good_request_is_answered(service: Service) -> None:
    answer = await service.client.post("/v1/orders/o1", json=GOOD)

    assert (answer.status_code, service.calls) == (200, ["o1"])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"not json",
        b'{"name": "a",}',
        b"{'name': 'a'}",
        b"\xff\xfe\xfd",
        b'{"name": "\xc3\x28", "count": 1}',
        b'{"name": "a", "count": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 30_000,
        b"\x00",
        b'{"name": "a\x00b", "count": 1}',
    ],
)
async def test_a_malformed_body_is_refused(service: Service, body: bytes) -> None:
    answer = await service.client.post("/v1/orders/o1", content=body, headers=JSON)

    assert answer.status_code in {400, 422}
    assert problem(answer) in {"malformed-json", "invalid-request"}
    assert service.calls == []


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "json",
        "a/b/c;;=",
        "application/octet-stream",
        "",
        "application/json-seq",
        "ÿ/ÿ",
    ],
)
async def test_another_content_type_is_refused(service: Service, content_type: str) -> None:
    headers = {b"content-type": content_type.encode("latin-1")}

    answer = await service.client.post("/v1/orders/o1", content=json.dumps(GOOD), headers=headers)

    assert (answer.status_code, problem(answer), service.calls) == (415, "unsupported-media-type", [])


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/x+json"])
async def test_json_by_any_of_its_names_is_taken(service: Service, content_type: str) -> None:
    headers = {"Content-Type": content_type}

    assert (await service.client.post("/v1/orders/o1", content=json.dumps(GOOD), headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"count": "many"}, "count", "int_parsing"),
        ({"count": 0}, "count", "greater_than"),
        ({"count": 1e400}, "count", "finite_number"),
        ({"count": None}, "count", "int_type"),
        ({"name": "n" * 21}, "name", "string_too_long"),
        ({"naem": "x"}, "naem", "extra_forbidden"),
        ({"labels": ["good", 7]}, "labels.1", "string_type"),
    ],
)
async def test_each_wrong_member_is_named(service: Service, change: dict[str, Any], path: str, code: str) -> None:
    answer = await service.client.post("/v1/orders/o1", content=json.dumps(GOOD | change), headers=JSON)

    assert (answer.status_code, problem(answer), service.calls) == (422, "invalid-request", [])
    assert [(error["path"], error["code"]) for error in answer.json()["errors"]] == [(path, code)]
    assert path in answer.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a\x00"},
        {"note": "\x00"},
        {"labels": ["\x00"]},
        {"x\x00": 1},
        {"note": {"deep": ["\x00"]}},
        {"name": "\ud800"},
        {"\ud800": 1},
    ],
)
async def test_text_which_postgresql_cannot_keep_is_refused(service: Service, change: dict[str, Any]) -> None:
    answer = await service.client.post("/v1/orders/o1", content=json.dumps(GOOD | change), headers=JSON)

    assert (answer.status_code, problem(answer), service.calls) == (422, "invalid-request", [])


async def test_inputs_are_not_echoed(service: Service) -> None:
    secret = "whsec_pasted_by_mistake"

    answer = await service.client.post("/v1/orders/o1", json={"name": [secret], "count": secret})

    assert answer.status_code == 422
    assert secret not in answer.text


async def test_a_thousand_mistakes_make_a_short_answer(service: Service) -> None:
    body = GOOD | {f"{'x' * 200}{number}\n": number for number in range(900)}

    answer = await service.client.post("/v1/orders/o1", content=json.dumps(body), headers=JSON)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20
    assert len(answer.content) < 16_000


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/v1",
        "/v1/orders/",
        "/v1/orders/%00",
        "/v1/orders/a%00b",
        "/v1/orders/%ff",
        "/v1/orders/%0d%0a",
        "/v1/orders/a/b",
        "/v1/orders/..%2f..%2fetc",
        "/v1/orders/%ED%A0%80",
        "/v1/orders/%7f",
        "/%2e%2e/",
        "//evil.example/",
    ],
)
async def test_a_path_that_names_nothing_is_404(service: Service, path: str) -> None:
    answer = await service.client.post(path, json=GOOD)

    assert (answer.status_code, problem(answer), service.calls) == (404, "not-found", [])


@pytest.mark.parametrize(
    "path", ["/v1/orders/%20", "/v1/orders/%F0%9F%92%B6", "/v1/orders/%25%2500", "/v1/orders/'%22--"]
)
async def test_other_odd_ids_reach_the_handler_as_text(service: Service, path: str) -> None:
    assert (await service.client.post(path, json=GOOD)).status_code == 200


@pytest.mark.parametrize("query", ["q=%00", "q=a%00b", "%00=1", "limit=many", "limit=101"])
async def test_a_bad_query_is_422(service: Service, query: str) -> None:
    answer = await service.client.get(f"/v1/orders?{query}")

    assert (answer.status_code, problem(answer)) == (422, "invalid-request")


@pytest.mark.parametrize("query", ["q=%ff", "q=%ED%A0%80", "q=%", "q=%zz", "q", "&&&=", "q=1&q=2", "q=%2500"])
async def test_an_odd_query_is_no_500(service: Service, query: str) -> None:
    assert (await service.client.get(f"/v1/orders?{query}")).status_code == 200


async def test_another_method_is_405_and_says_which_are_possible(service: Service) -> None:
    answer = await service.client.put("/v1/orders/o1", json=GOOD)

    assert (answer.status_code, problem(answer), answer.headers["allow"]) == (405, "method-not-allowed", "POST")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_413(service: Service, chunked: bool) -> None:
    async def parts() -> Any:
        for _ in range(9):
            yield b" " * (MAX_BODY // 8)

    content: Any = parts() if chunked else b" " * (MAX_BODY + 1)

    answer = await service.client.post("/v1/orders/o1", content=content, headers=JSON)

    assert (answer.status_code, problem(answer), service.calls) == (413, "body-too-large", [])


async def test_a_body_at_the_limit_is_taken(service: Service) -> None:
    body = json.dumps(GOOD).encode()

    answer = await service.client.post("/v1/orders/o1", content=body.rjust(MAX_BODY), headers=JSON)

    assert answer.status_code == 200


async def test_an_unexpected_error_says_nothing_about_itself(service: Service) -> None:
    answer = await service.client.get("/v1/broken", headers={"Origin": FRONT_END})

    assert (answer.status_code, problem(answer)) == (500, "internal-error")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.headers["access-control-allow-origin"] == FRONT_END
    assert answer.headers["x-request-id"]


async def test_an_error_amid_an_answer_cuts_it_off(service: Service) -> None:
    """A client that was promised a whole answer must not take half of one for it."""
    with pytest.raises(httpx.RemoteProtocolError):
        await service.client.get("/v1/half")


async def test_a_problem_carries_its_own_members_and_headers(service: Service) -> None:
    answer = await service.client.get("/v1/refused")

    assert (answer.status_code, problem(answer), answer.json()["order_id"]) == (409, "already-done", "o1")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ('"<script>', False)]
)
async def test_a_sane_request_id_is_kept(service: Service, sent: str, kept: bool) -> None:
    answer = await service.client.get("/v1/orders", headers={"X-Request-ID": sent})

    assert (answer.headers["x-request-id"] == sent) is kept


async def test_only_allowed_origins_may_read_answers(service: Service) -> None:
    ours = await service.client.get("/v1/orders", headers={"Origin": FRONT_END})
    theirs = await service.client.get("/v1/orders", headers={"Origin": "https://evil.example"})

    assert ours.headers["access-control-allow-origin"] == FRONT_END
    assert "access-control-allow-origin" not in theirs.headers


async def test_a_front_end_may_ask_before_it_sends_a_key(service: Service) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}

    answer = await service.client.options("/v1/orders/o1", headers={"Origin": FRONT_END} | asked)

    assert answer.status_code == 200
    assert "Idempotency-Key" in answer.headers["access-control-allow-headers"]


async def test_the_document_of_the_api_names_problems_and_operations(service: Service) -> None:
    document = (await service.client.get("/openapi.json")).json()

    operation = document["paths"]["/v1/orders/{order_id}"]["post"]
    assert operation["operationId"] == "place_order"
    assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    assert "422" not in operation["responses"]
