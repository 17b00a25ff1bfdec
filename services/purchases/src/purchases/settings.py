"""What purchases is told; the names are the environment's."""

from pydantic import Field, SecretStr

from chassis.page_settings import PageSettings, SignInSettings
from chassis.settings import DatabaseSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings, PageSettings, SignInSettings):
    """Beside what every service is told: Stripe, the pages, and how long a buying request may take."""

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_api_base: str | None = None
    purchase_lease_seconds: int = Field(default=180, gt=0)
