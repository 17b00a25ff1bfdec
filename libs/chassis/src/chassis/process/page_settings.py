"""The settings of a service with pages. The pages' one origin is PUBLIC_BASE_URL."""

from typing import Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.process.settings import Origins

_CONFIG: Final = SettingsConfigDict(
    frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=False, hide_input_in_errors=True
)


class PageSettings(BaseSettings):
    """For every service with pages."""

    model_config = _CONFIG

    pages_form_targets: Origins = ("https://checkout.stripe.com", "https://billing.stripe.com")
    """Where a form's answer may redirect to: a custom domain of Stripe's pages has to be named here, and no issuer."""


class SignInSettings(BaseSettings):
    """For the service that signs people in: the issuer's OpenID Connect client. Without an issuer nobody can.

    Whether they are complete is asked by the process that serves the pages (`process.doctor`), not by each that reads.
    """

    model_config = _CONFIG

    oidc_issuer_url: str = ""
    """The OpenID Connect issuer that signs people in to the pages, as its discovery document names it."""
    oidc_client_id: str = ""
    """The id of our client at the issuer `OIDC_ISSUER_URL`."""
    oidc_client_secret: SecretStr = SecretStr("")
    """The secret of `OIDC_CLIENT_ID`, which the issuer gave it."""
    oidc_scope: str = "openid email"
    """The scope of a sign-in, with `openid` among it. Some issuers put roles into a token only for one of their own."""
    oidc_audience: str = ""
    """Sent to the issuer as `audience`: some give a token that is a JWT, and for us, only to who names the API."""
    session_secret: SecretStr = SecretStr("")
    """Signs what is kept while somebody is away at the issuer's page."""
