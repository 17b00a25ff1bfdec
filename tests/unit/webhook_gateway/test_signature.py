"""The signature check says what Stripe's own library says, and refuses more cleanly."""

import hashlib
import hmac

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from webhook_gateway.webhook.signature import LONGEST_HEADER, SignatureRefused, parse, verify

SECRET = b"whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"
OTHER = b"whsec_9nTz2RqLfVbXk7MwYdCs4HgJp6AeKu1o"
NOW = 1_772_620_203.5
BODY = '{"id":"evt_1","object":"event","name":"Zoë"}'.encode()


def signature(body: bytes, *, timestamp: int, secret: bytes = SECRET) -> bytes:
    return hmac.new(secret, b"%d.%b" % (timestamp, body), hashlib.sha256).hexdigest().encode()


def header(body: bytes = BODY, *, timestamp: int = int(NOW), secret: bytes = SECRET) -> bytes:
    return b"t=%d,v1=%b" % (timestamp, signature(body, timestamp=timestamp, secret=secret))


def refusal(
    given: bytes | None, *, body: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,), now: float = NOW
) -> str | None:
    try:
        verify(body=body, header=given, secrets=secrets, now=now)
    except SignatureRefused as refused:
        return refused.reason
    return None


def stripe_accepts(given: bytes, *, body: bytes, secrets: tuple[bytes, ...], now: float) -> bool:
    for secret in secrets:
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("stripe._webhook.time.time", lambda: now)
                stripe.WebhookSignature.verify_header(body, given.decode("latin-1"), secret.decode(), 300)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        return True
    return False


def test_a_signature_made_by_stripes_library_is_accepted() -> None:
    made = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET.decode(), timestamp=int(NOW))

    assert refusal(made.encode()) is None


def test_any_of_several_secrets_may_have_signed() -> None:
    assert refusal(header(secret=OTHER), secrets=(SECRET, OTHER)) is None
    assert refusal(header(secret=SECRET), secrets=(SECRET, OTHER)) is None
    assert refusal(header(secret=OTHER), secrets=(SECRET,)) == "mismatch"


def test_any_of_several_v1_values_may_match() -> None:
    good = signature(BODY, timestamp=int(NOW))

    assert refusal(b"t=%d,v1=%b,v1=%b" % (NOW, b"0" * 64, good)) is None
    assert refusal(b"t=%d,v1=%b,v1=%b" % (NOW, good, b"0" * 64)) is None


def test_other_schemes_are_ignored() -> None:
    good = signature(BODY, timestamp=int(NOW))

    assert refusal(b"t=%d,v0=junk,v1=%b,v2=zzz" % (NOW, good)) is None
    assert refusal(b"t=%d,v0=%b" % (NOW, good)) == "malformed"


@pytest.mark.parametrize(
    ("age", "expected"), [(0, None), (300, None), (301, "stale"), (-299, None), (-302, "future"), (10**9, "stale")]
)
def test_the_tolerance_is_300_seconds_both_ways(age: int, expected: str | None) -> None:
    assert refusal(header(timestamp=int(NOW) - age), now=float(int(NOW))) == expected


def test_without_secrets_nothing_is_accepted() -> None:
    assert refusal(header(), secrets=()) == "mismatch"
    assert refusal(header(secret=b""), secrets=()) == "mismatch"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "missing"),
        (b"", "missing"),
        (b"t=1772620203", "malformed"),
        (b"v1=abc", "malformed"),
        (b"t=,v1=abc", "malformed"),
        (b"t=abc,v1=abc", "malformed"),
        (b"t=-1,v1=abc", "malformed"),
        (b"t=1_7,v1=abc", "malformed"),
        (b"t= 1772620203,v1=abc", "malformed"),
        (b"t=1.5,v1=abc", "malformed"),
        (b"t=1772620203,v1=", "malformed"),
        (b"t=1772620203;v1=abc", "malformed"),
        (b"t=" + b"9" * 5000 + b",v1=abc", "malformed"),
        (b"t=999999999999,v1=abc", "future"),
        (b"\xff\xfe,,,===", "malformed"),
        (b"t=1772620203,v1=\xff\xfe", "mismatch"),
        (b"t=1772620203,v1=" + b"a" * LONGEST_HEADER, "malformed"),
        (b"t=1772620203" + b",v1=abc" * 20_000, "malformed"),
    ],
)
def test_every_malformed_header_is_a_named_refusal(given: bytes | None, expected: str) -> None:
    assert refusal(given) == expected


def test_a_changed_body_is_refused() -> None:
    assert refusal(header(), body=BODY + b" ") == "mismatch"


def test_a_body_that_is_no_utf8_is_verified_over_its_raw_bytes() -> None:
    body = b"\xff\xfe{"

    assert refusal(header(body), body=body) is None


def test_parse_takes_the_first_timestamp_as_stripes_library_does() -> None:
    assert parse(b"t=1,t=2,v1=a") == (1, [b"a"])


names = st.sampled_from([b"t", b"v1", b"v0", b" v1", b"T", b"", b"x"])
values = st.one_of(
    st.sampled_from([b"", b"0", b"abc", b"=", b"a=b"]),
    st.integers(min_value=int(NOW) - 400, max_value=int(NOW) + 250).map(lambda number: b"%d" % number),
    # ASCII only: of anything else in a v1 value, Stripe's library makes a TypeError.
    st.text(st.characters(max_codepoint=127, exclude_characters=","), max_size=12).map(str.encode),
)


@given(
    body=st.text(max_size=40).map(str.encode),
    items=st.lists(st.tuples(names, values), max_size=5),
    age=st.integers(min_value=0, max_value=600),
    signer=st.sampled_from([SECRET, OTHER, b"whsec_unknown"]),
    place=st.integers(min_value=0, max_value=5),
)
def test_we_accept_exactly_what_stripes_library_accepts(
    body: bytes, items: list[tuple[bytes, bytes]], age: int, signer: bytes, place: int
) -> None:
    """Headers that hold a real signature somewhere among other items; secrets are tried in turn."""
    timestamp = int(NOW) - age
    real = [(b"t", b"%d" % timestamp), (b"v1", signature(body, timestamp=timestamp, secret=signer))]
    given_header = b",".join(b"%b=%b" % item for item in [*items[:place], *real, *items[place:]])
    secrets = (SECRET, OTHER)
    ours = refusal(given_header, body=body, secrets=secrets) is None

    if ours != stripe_accepts(given_header, body=body, secrets=secrets, now=NOW):
        # The one difference: int() takes " 12", "+12" and "1_2" for a timestamp, we take digits only.
        assert not ours
        assert not next(value for name, value in items if name == b"t").isdigit()


@given(body=st.binary(max_size=60), given_header=st.binary(max_size=80))
def test_junk_is_never_accepted_and_never_an_error(body: bytes, given_header: bytes) -> None:
    assert refusal(given_header, body=body) is not None
