"""Signs what schemathesis sends, as Stripe would; what is wrong in nothing but its signature stays as it is."""

import re
from typing import Any

import requests
import schemathesis
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.core.parameters import ParameterLocation

from tests.integration.webhook_gateway.conftest import signature
from webhook_gateway.webhook.openapi import SIGNATURE

WELL_FORMED = re.compile(SIGNATURE["schema"]["pattern"])
HEADER = SIGNATURE["name"]


class Signed(requests.auth.AuthBase):
    """Runs last, when the body is bytes."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if isinstance(request.body, bytes) and request.headers.get("Content-Type") == "application/json":
            request.headers[HEADER] = signature(request.body)
        return request


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Sign every request before it is sent. With a body that is wrong on purpose, there is no good header."""
    if WELL_FORMED.fullmatch(str((case.headers or {}).get(HEADER))) or _has_wrong_body(case):
        kwargs["auth"] = Signed()


def _has_wrong_body(case: Case[Any]) -> bool:
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    return body is not None and body.mode is GenerationMode.NEGATIVE
