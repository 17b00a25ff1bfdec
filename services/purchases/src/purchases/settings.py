"""The settings of purchases; the names are the environment's."""

from pydantic import Field

from chassis.process.page_settings import PageSettings, SignInSettings
from chassis.process.settings import DatabaseSettings, OutboxSettings, ServiceSettings, StripeSettings


class Settings(ServiceSettings, DatabaseSettings, OutboxSettings, StripeSettings, PageSettings, SignInSettings):
    """Beside what every service has: Stripe, the pages, and how long a buying request may take."""

    purchase_lease_seconds: int = Field(default=30, gt=0)
    """How long a buying request that has died holds its purchase; while it lives it renews. Then the worker looks."""
    stripe_budget_workspace_burst: int = Field(default=60, gt=0)
    """Requests that call Stripe which one workspace may send at once; it has so many again after some minutes."""
    stripe_budget_workspace_per_minute: float = Field(default=30, gt=0)
    """Requests that call Stripe which a workspace gets back each minute, up to its burst."""
    stripe_budget_person_burst: int = Field(default=120, gt=0)
    """Requests that call Stripe which one person may send at once, over all workspaces."""
    stripe_budget_person_per_minute: float = Field(default=60, gt=0)
    """Requests that call Stripe which a person gets back each minute, up to the burst."""
    brake_declines: int = Field(default=100, gt=0)
    """Declines of all workspaces in ten minutes from which on strangers to us get one an hour (card testing)."""
    claims_per_resource: int = Field(default=10_000, gt=0)
    """Slots of one resource that a workspace may claim where the plan has no cap, or import over it."""
