"""What can be done to add-ons: show, create, edit, withdraw, and keep the Stripe price that was made for one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.actors import Actor
from catalog.bodies import AddonEdit, NewAddon
from catalog.etags import etag_of, require_match
from catalog.prices import Price, price_of
from catalog.publisher import Action, addon_state, publish_change
from catalog.slugs import first_free, slug_of
from catalog.tables import Addon
from chassis.problems import Problem


class AddonNotFound(Problem):
    """There is no add-on with this id."""

    def __init__(self) -> None:
        super().__init__(404, "addon-not-found", "There is no such add-on")


class NameWithoutSlug(Problem):
    """Nothing of the name can stand in a URL."""

    def __init__(self) -> None:
        detail = "The name needs at least one letter or digit, since the slug is derived from it."
        super().__init__(422, "empty-slug", "The name gives no slug", detail, field="name")


class AddonMade(Problem):
    """A form was sent twice: the add-on of its id is there already."""

    def __init__(self, addon_id: UUID) -> None:
        super().__init__(409, "addon-made", "This add-on was created already", "Nothing was created once more.")
        self.addon_id = addon_id


class PriceMissing(Problem):
    """An edit gave another currency and no price in it."""

    def __init__(self) -> None:
        super().__init__(422, "price-required", "Give the price in the new currency", field="price")


async def show_addon(*, session: AsyncSession, addon_id: UUID) -> Addon:
    """Return one add-on. Raises AddonNotFound."""
    addon = await store.addon_by_id(session, addon_id)
    if addon is None:
        raise AddonNotFound
    return addon


async def create_addon(
    *, session: AsyncSession, new: NewAddon, by: Actor, now: datetime, addon_id: UUID | None = None
) -> Addon:
    """Add an add-on under the first free slug of its name. `addon_id` makes a repeat known as one.

    Raises NameWithoutSlug, PriceRefused, AddonMade.
    """
    price = price_of(major=new.price, cents=new.price_cents, currency=new.currency)
    texts = new.model_dump(include={"name", "description", "bullets", "is_active", "sort_order"})
    values = texts | {"price_cents": price.cents, "currency": price.currency, "created_at": now, "updated_at": now}
    values |= {"id": addon_id} if addon_id else {}
    addon = await _insert_under_free_slug(session, values)
    publish_change(session, action="created", by=by, before=None, after=addon_state(addon), occurred_at=now)
    return addon


async def edit_addon(
    *, session: AsyncSession, addon_id: UUID, if_match: str | None, edit: AddonEdit, by: Actor, now: datetime
) -> Addon:
    """Change what `edit` names; nothing is published when that changes nothing.

    Raises AddonNotFound, PreconditionRequired, PreconditionFailed, PriceMissing, PriceRefused.
    """
    addon = await _lock_matching(session, addon_id, if_match)
    changes = edit.given
    price = _edited_price(addon, edit)
    changes |= {"price_cents": price.cents, "currency": price.currency}
    changes.pop("price", None)
    change_addon(session, addon, changes, action="edited", by=by, now=now)
    return addon


async def withdraw_addon(
    *, session: AsyncSession, addon_id: UUID, if_match: str | None, by: Actor, now: datetime
) -> Addon:
    """Delete softly: customers no longer see it, the ledger still does, and it can be activated again.

    Raises AddonNotFound, PreconditionRequired, PreconditionFailed.
    """
    addon = await _lock_matching(session, addon_id, if_match)
    change_addon(session, addon, {"is_active": False}, action="withdrawn", by=by, now=now)
    return addon


def change_addon(
    session: AsyncSession, addon: Addon, changes: dict[str, object], *, action: Action, by: Actor, now: datetime
) -> None:
    """Set `changes` on the locked `addon`, and publish what they change. A Stripe price goes with its price."""
    before, price_before = addon_state(addon), Price(addon.price_cents, addon.currency)
    for field, value in changes.items():
        setattr(addon, field, value)
    if Price(addon.price_cents, addon.currency) != price_before:
        addon.stripe_price_id = None
    if session.is_modified(addon):
        addon.sequence += 1
        addon.updated_at = now
        publish_change(session, action=action, by=by, before=before, after=addon_state(addon), occurred_at=now)


async def _insert_under_free_slug(session: AsyncSession, values: dict[str, Any]) -> Addon:
    wanted = slug_of(name=str(values["name"]))
    if not wanted:
        raise NameWithoutSlug
    while True:
        if "id" in values and await store.addon_by_id(session, values["id"]):
            raise AddonMade(values["id"])
        slug = first_free(wanted=wanted, taken=await store.taken_slugs(session, wanted=wanted))
        # None: another admin committed the same slug, or the same form, in between; now it is there.
        if addon := await store.insert_addon(session, values | {"slug": slug}):
            return addon


async def _lock_matching(session: AsyncSession, addon_id: UUID, if_match: str | None) -> Addon:
    addon = await store.lock_addon(session, addon_id)
    if addon is None:
        raise AddonNotFound
    require_match(if_match=if_match, etag=etag_of(sequence=addon.sequence))
    return addon


def _edited_price(addon: Addon, edit: AddonEdit) -> Price:
    currency = edit.currency or addon.currency
    if edit.price is not None or edit.price_cents is not None:
        return price_of(major=edit.price, cents=edit.price_cents, currency=currency)
    if currency != addon.currency:
        raise PriceMissing
    return Price(addon.price_cents, addon.currency)
