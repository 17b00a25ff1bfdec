"""The gateway's settings: the chassis' own and Stripe's webhook secrets."""

from typing import Annotated

from pydantic import BeforeValidator, SecretStr, StringConstraints
from pydantic_settings import NoDecode

from chassis.process.settings import ServiceSettings, split_commas

Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_commas)]


AccountId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^acct_[A-Za-z0-9]{1,64}$")]
"""As Stripe writes an account's id; one that is misspelt would make all that names an account foreign."""


class GatewaySettings(ServiceSettings):
    """Several secrets are valid at once while one is being rotated; both names count together."""

    stripe_webhook_secrets: Secrets = ()
    """Signing secrets of the endpoint, separated by commas; any of them proves a webhook."""
    stripe_webhook_secret: SecretStr = SecretStr("")
    """One more signing secret of the endpoint, as good as those of `STRIPE_WEBHOOK_SECRETS`."""
    stripe_livemode: bool | None = None
    """Which of Stripe's two modes this deployment is for; has to be said where protected and a secret is set."""
    stripe_account_id: AccountId | None = None
    """The account whose events are taken, where they name one; not needed for an account's own endpoint."""

    @property
    def given_secrets(self) -> tuple[str, ...]:
        """Return the secrets as configured, blanks and placeholders included."""
        both = (*self.stripe_webhook_secrets, self.stripe_webhook_secret)
        return tuple(secret.get_secret_value() for secret in both)
