"""What the gateway is told: the chassis' settings and Stripe's webhook secrets."""

from typing import Annotated

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from chassis.settings import ServiceSettings, split_commas

Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_commas)]


class GatewaySettings(ServiceSettings):
    """Several secrets are valid at once while one is being rotated; both names count together."""

    stripe_webhook_secrets: Secrets = ()
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_livemode: bool = False

    @property
    def given_secrets(self) -> tuple[str, ...]:
        """As configured, blanks and placeholders included."""
        both = (*self.stripe_webhook_secrets, self.stripe_webhook_secret)
        return tuple(secret.get_secret_value() for secret in both)
