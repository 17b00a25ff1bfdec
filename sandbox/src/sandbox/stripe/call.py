"""One request, or one act of the outside world, on the account: its parameters, and the events it causes."""

from dataclasses import dataclass, field

from sandbox.stripe.account import Account, T
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import Customer, Event, Thing
from sandbox.stripe.params import Params


@dataclass(slots=True, kw_only=True)
class Call:
    """`request_id` and `idempotency_key` are null for what nobody asked the API for, as in Stripe's events.

    `customer`: whose clock it runs by.
    """

    account: Account
    version: str
    params: Params = field(default_factory=lambda: Params(form={}))
    customer: str | None = None
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def now(self) -> int:
        """Unix time at the customer whose clock this call runs by, in whole seconds as all of Stripe's times."""
        return self.account.clock.now(self.customer)

    @property
    def id(self) -> str:
        """The id in the request's path."""
        return self.params.path["id"]

    def save(self, thing: T) -> T:
        """Store a new object, or the new state of one."""
        return self.account.save(thing)

    def emit(self, type: str, thing: Thing, *, before: Thing | None = None) -> Event:  # noqa: A002
        """Record the event and hand it to the webhook dispatcher. It is listed whether or not anybody receives it."""
        event = Event(
            id=new_id(prefix="evt"),
            created=self.now,
            type=type,
            thing=thing,
            before=before,
            api_version=self.account.settings.api_version,
            request_id=self.request_id,
            idempotency_key=self.idempotency_key,
        )
        self.account.events.put(event)
        self.account.on_event(event)
        return event


def outside(account: Account, of: Thing | None = None) -> Call:
    """Make a call that no API request made: bank, timer, hosted page. It runs by the clock of `of`'s customer."""
    return Call(account=account, version=account.settings.api_version, customer=owner_of(of))


def owner_of(thing: Thing | None) -> str | None:
    """Return the customer that `thing` is, or belongs to."""
    if isinstance(thing, Customer):
        return thing.id
    return getattr(thing, "customer", None)
