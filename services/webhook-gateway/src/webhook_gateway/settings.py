"""The gateway's settings: the chassis' own and Stripe's webhook secrets."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import NoDecode

from chassis.process.settings import ServiceSettings, StripeSettings, split_commas

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


class BackfillSettings(GatewaySettings, StripeSettings):
    """Of the command `backfill` alone: the process that serves webhooks has no key of Stripe's."""

    stripe_livemode: bool | None = None
    """Which of Stripe's two modes this deployment is for; has to be said where protected and a secret is set."""
    backfill_events_per_second: float = Field(default=50, gt=0)
    """Events of Stripe's list that `backfill` publishes in a second at most, so that webhooks are not held up."""
    backfill_calls_per_second: float = Field(default=2, gt=0)
    """Calls to Stripe that `backfill` makes in a second at most; purchases needs what Stripe allows, too."""
