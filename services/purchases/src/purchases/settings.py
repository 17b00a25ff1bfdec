"""What purchases is told; the names are the environment's."""

from pydantic import Field, SecretStr

from chassis.settings import DatabaseSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings):
    """Beside what every service is told: Stripe, and how long a buying request may take."""

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_api_base: str | None = None
    purchase_lease_seconds: int = Field(default=180, gt=0)
