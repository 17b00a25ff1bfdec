"""What every page says to the browser: nothing of anybody else's, no inline script or style, kept nowhere."""

from collections.abc import Iterable, Mapping

from chassis.web.every_answer import HSTS


def page_headers(form_targets: Iterable[str], *, secure: bool) -> Mapping[str, str]:
    """Return a page's headers. `form_targets`: where a form's answer may redirect; browsers hold `form-action` against.

    `secure`: browsers shall come over TLS only, from now on.
    The referrer stays within our origin; with `no-referrer` browsers would send `Origin: null` with our own forms.
    """
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        " ".join(("form-action 'self'", *form_targets)),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "Cookie, Accept-Language",
        **({"Strict-Transport-Security": HSTS} if secure else {}),
    }
