"""What purchases is told; the names are the environment's."""

from pydantic import Field

from chassis.page_settings import PageSettings, SignInSettings
from chassis.settings import DatabaseSettings, ServiceSettings, StripeSettings


class Settings(ServiceSettings, DatabaseSettings, StripeSettings, PageSettings, SignInSettings):
    """Beside what every service is told: Stripe, the pages, and how long a buying request may take."""

    purchase_lease_seconds: int = Field(default=180, gt=0)
