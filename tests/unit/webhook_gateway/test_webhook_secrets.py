"""Which secrets count, and that a deployment without one is closed."""

import secrets

import pytest

from chassis.process.secret_shapes import is_placeholder
from webhook_gateway.webhook.webhook_secrets import Policy, signing_secrets

MADE = secrets.token_hex(16)
GOOD = f"whsec_{MADE}"
OTHER = f"whsec_{secrets.token_urlsafe(32)}"
PUBLISHED = "whsec_dev_only_of_the_compose_file"


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


@pytest.mark.parametrize("word", ["whsec_test", "whsec_sandbox_1", "whsec_new", "s3cret-of-ours", "whsec_0a1b"])
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


def test_a_good_secret_among_others_is_the_only_one_that_counts() -> None:
    signing = signing_secrets(given=["", "None", f' "{GOOD}" ', GOOD, "whsec_second1", OTHER], protected=True)

    assert (GOOD.encode(), OTHER.encode()) == signing.secrets
    assert [one.position for one in signing.refused] == [1, 3]


def test_where_nothing_is_protected_all_but_placeholders_count() -> None:
    signing = signing_secrets(given=["whsec_test", PUBLISHED, "s3cret", "None"], protected=False)

    assert signing.secrets == (b"whsec_test", PUBLISHED.encode(), b"s3cret")
    assert [one.rule for one in signing.refused] == ["it is a placeholder"]


NO_SECRETS = {
    "a key in the wrong variable": (f"sk_live_{MADE}", "does not begin with whsec_"),
    "a zero-width space": (f"whsec_\u200b{MADE}", "a character"),
    "a byte-order mark": (f"\ufeff{GOOD}", "does not begin with whsec_"),
    "an inner blank": (f"whsec_{MADE[:16]} {MADE[16:]}", "a character"),
    "an inner line end": (f"whsec_{MADE[:16]}\n{MADE[16:]}", "a character"),
    "a letter of another alphabet": (f"whsec_{MADE}\u0430", "a character"),
    "bytes that are no text": (f"whsec_{MADE}\udcff", "a character"),
    "two in one": (f"{GOOD};{OTHER}", "a character"),
    "one without its beginning": (MADE, "does not begin with whsec_"),
    "one in capitals": (f"WHSEC_{MADE}", "does not begin with whsec_"),
    "23 characters": (f"whsec_{MADE[:23]}", "fewer than 24"),
    "a placeholder of the right shape": ("whsec_your_webhook_secret_goes_here", "placeholder"),
    "crosses": ("whsec_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "placeholder"),
    "that of the compose file": (PUBLISHED, "repository"),
}


@pytest.mark.parametrize("kind", NO_SECRETS)
def test_what_has_not_the_shape_is_no_secret_and_the_refusal_names_the_rule_alone(kind: str) -> None:
    given, rule = NO_SECRETS[kind]

    signing = signing_secrets(given=[given], protected=True)

    assert signing.policy is Policy.REFUSE_ALL
    assert rule in signing.refused[0].rule
    assert given not in repr(signing)
    assert MADE[:16] not in repr(signing)


@pytest.mark.parametrize(
    "given",
    [GOOD, OTHER, f" '{GOOD}'\n", f"whsec_{MADE[:24]}", f"whsec_{MADE}+/=_-"],
    ids=["letters and digits", "base64", "quoted", "24 characters", "every sign"],
)
def test_what_has_it_is_one(given: str) -> None:
    assert signing_secrets(given=[given], protected=True).policy is Policy.ENFORCE


def test_secrets_are_not_printed() -> None:
    assert GOOD not in repr(signing_secrets(given=[GOOD], protected=True))
