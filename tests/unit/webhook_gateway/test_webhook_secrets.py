"""Which secrets count, and that a deployment without one is closed."""

import pytest

from webhook_gateway.webhook_secrets import Policy, is_placeholder, signing_secrets

GOOD = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"


@pytest.mark.parametrize(
    "word",
    [
        "None",
        "null",
        "undefined",
        "whsec_",
        "whsec_...",
        "whsec_xxxxxxxx",
        "whsec_None",
        "changeme",
        "change-me",
        "<your secret>",
        "your_webhook_secret",
        "whsec_your_secret_here",
        "${STRIPE_WEBHOOK_SECRET}",
        "{{ secret }}",
        "$(SECRET)",
        '"None"',
        " none ",
        "*****",
        "PLACEHOLDER",
    ],
)
def test_a_placeholder_is_no_secret(word: str) -> None:
    assert is_placeholder(word)


@pytest.mark.parametrize("word", [GOOD, "whsec_test", "whsec_sandbox_1", "whsec_new", "s3cret-of-ours", "whsec_0a1b"])
def test_a_secret_is_no_placeholder(word: str) -> None:
    assert not is_placeholder(word)


@pytest.mark.parametrize("given", [(), ("",), ("  ", "\t"), ("None",), ("whsec_",), ("", "null", "changeme")])
def test_a_protected_deployment_without_a_secret_refuses_everything(given: tuple[str, ...]) -> None:
    assert signing_secrets(given=given, protected=True).policy is Policy.REFUSE_ALL


@pytest.mark.parametrize("protected", [True, False])
def test_a_configured_secret_is_enforced_everywhere(protected: bool) -> None:
    signing = signing_secrets(given=[GOOD], protected=protected)

    assert (signing.policy, signing.secrets) == (Policy.ENFORCE, (GOOD.encode(),))


def test_only_local_and_testing_without_any_secret_take_unsigned_requests() -> None:
    assert signing_secrets(given=["", " "], protected=False).policy is Policy.ACCEPT_UNSIGNED
    assert signing_secrets(given=["None"], protected=False).policy is Policy.REFUSE_ALL


def test_a_good_secret_among_placeholders_is_the_only_one_that_counts() -> None:
    signing = signing_secrets(given=["", "None", f' "{GOOD}" ', GOOD, "whsec_second1"], protected=True)

    assert (signing.secrets, signing.ignored) == ((GOOD.encode(), b"whsec_second1"), 1)


def test_secrets_are_not_printed() -> None:
    assert GOOD not in repr(signing_secrets(given=[GOOD], protected=True))
