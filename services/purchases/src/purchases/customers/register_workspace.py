"""The host product registers and updates its workspaces; each has one Stripe customer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.problems import Problem
from chassis.process.logs import get_logger
from chassis.recovery import epochs
from purchases.jobs.kinds import AdoptSubscriptions
from purchases.jobs.store import enqueue
from purchases.jobs.stripe_context import StripeContext
from purchases.ledger.learn_ids import release_waiting
from purchases.stripe_api.client import OutcomeUnknown, StripeRefused
from purchases.stripe_api.customers import create_customer, describe_customer, find_lost_customer
from purchases.stripe_api.since import FORGOTTEN_WITHIN
from purchases.stripe_refusals.store import keep_refusal
from purchases.workspaces import store as workspaces
from purchases.workspaces.problems import workspace_not_found
from purchases.workspaces.rows import UNKNOWN_OWNER, Workspace

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the host product says of a workspace."""

    workspace_id: str
    name: str
    owner_user_id: str
    owner_email: str
    stripe_customer_id: str | None = None


async def register_workspace(context: StripeContext, *, registration: Registration) -> Workspace:
    """Create or update the workspace, and have its customer at Stripe.

    Stripe being away refuses nothing: the customer is then made when it is first needed. Raises Problem 409 when the
    owner or the customer changes, or another workspace has the customer.
    """
    try:
        async with context.database.transaction() as session:
            before = await _register(session, registration)
    except IntegrityError as error:
        raise customer_taken() from error
    try:
        await _update_customer(context, registration, before)
    except (OutcomeUnknown, StripeRefused) as error:
        log.warning("customer_not_ready", workspace=registration.workspace_id, error=repr(error))
        if isinstance(error, StripeRefused):
            await keep_refusal(context.database, error, workspace_id=registration.workspace_id)
    async with context.database.reading() as session:
        workspace = await workspaces.find(session, registration.workspace_id)
    if workspace is None:
        raise workspace_not_found()
    return workspace


@dataclass(frozen=True, slots=True)
class _Shown:
    """What Stripe's customer shows until now."""

    name: str
    owner_email: str


async def _register(session: AsyncSession, registration: Registration) -> _Shown | None:
    values = _values(registration)
    await session.execute(insert(Workspace).values(values).on_conflict_do_nothing(index_elements=[Workspace.id]))
    workspace = await workspaces.lock_workspace(session, registration.workspace_id)
    if workspace is None or workspace.owner_user_id not in (UNKNOWN_OWNER, registration.owner_user_id):
        raise owner_fixed()
    workspace.owner_user_id = registration.owner_user_id
    before = _Shown(workspace.name, workspace.owner_email)
    customer_id = registration.stripe_customer_id
    if customer_id and workspace.stripe_customer_id not in (None, customer_id):
        raise customer_fixed()
    workspace.name, workspace.owner_email = registration.name, registration.owner_email
    workspace.stripe_customer_id = workspace.stripe_customer_id or customer_id
    if customer_id:
        # A product that moves in: what the customer subscribed to at our plan's price is adopted.
        await enqueue(session, AdoptSubscriptions(workspace_id=workspace.id))
    workspace.updated_at = datetime.now(UTC)
    await release_waiting(session, [workspace.id])
    return before if before != _Shown(registration.name, registration.owner_email) else None


def _values(registration: Registration) -> dict[str, Any]:
    return {
        "id": registration.workspace_id,
        "name": registration.name,
        "owner_user_id": registration.owner_user_id,
        "owner_email": registration.owner_email,
        "stripe_customer_id": registration.stripe_customer_id,
    }


async def _update_customer(context: StripeContext, registration: Registration, before: _Shown | None) -> None:
    customer_id = await ensure_customer(context, workspace_id=registration.workspace_id)
    if before is not None:
        name, email = registration.name, registration.owner_email
        await describe_customer(context.client, customer_id=customer_id, name=name, email=email)


async def ensure_customer(context: StripeContext, *, workspace_id: str) -> str:
    """Return the workspace's Stripe customer, made now if there is none; one, however many requests race.

    Raises OutcomeUnknown or StripeRefused.
    """
    async with context.database.transaction() as session:
        asked = (
            update(Workspace)
            .where(Workspace.id == workspace_id)
            .values(customer_asked_at=func.coalesce(Workspace.customer_asked_at, func.now()))
            .returning(Workspace)
        )
        workspace = (await session.execute(asked)).scalar_one()
        restored = await epochs.changed_within(session, FORGOTTEN_WITHIN)
    if workspace.stripe_customer_id is not None:
        return workspace.stripe_customer_id
    customer_id = await _find_lost_customer(context, workspace_id) if restored else None
    customer_id = customer_id or await create_customer(
        context.client,
        instance=context.instance,
        workspace_id=workspace_id,
        name=workspace.name,
        email=workspace.owner_email,
        first_asked_at=workspace.customer_asked_at or datetime.now(UTC),
    )
    async with context.database.transaction() as session:
        return await workspaces.store_customer(session, workspace_id=workspace_id, customer_id=customer_id)


async def _find_lost_customer(context: StripeContext, workspace_id: str) -> str | None:
    """Return the customer that an earlier life of the database made; its purchases are found by it."""
    return await find_lost_customer(
        context.client, instance=context.instance, workspace_id=workspace_id, back=FORGOTTEN_WITHIN
    )


def owner_fixed() -> Problem:
    return Problem(
        409, "owner-fixed", "The owner of a workspace never changes", "Only the owner's e-mail may be updated."
    )


def customer_taken() -> Problem:
    return Problem(409, "customer-taken", "This Stripe customer belongs to another workspace")


def customer_fixed() -> Problem:
    return Problem(409, "customer-fixed", "This workspace has another Stripe customer already")
