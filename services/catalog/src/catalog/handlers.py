"""What can be done to the catalog: list, show, create, edit and withdraw an add-on. Each change is published."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.bodies import AddonEdit, NewAddon
from catalog.etags import etag_of, require_match
from catalog.prices import Price, price_of
from catalog.publisher import publish_state
from catalog.slugs import first_free, slug_of
from catalog.tables import Addon
from chassis.problems import Problem


class AddonUnknown(Problem):
    """There is no add-on with this id."""

    def __init__(self) -> None:
        super().__init__(404, "addon-unknown", "There is no such add-on")


class NameWithoutSlug(Problem):
    """Nothing of the name can stand in a URL."""

    def __init__(self) -> None:
        detail = "The name needs at least one letter or digit, since the slug is derived from it."
        super().__init__(422, "empty-slug", "The name gives no slug", detail, field="name")


class PriceMissing(Problem):
    """An edit gave another currency and no price in it."""

    def __init__(self) -> None:
        super().__init__(422, "price-required", "Give the price in the new currency", field="price")


async def list_addons(*, session: AsyncSession) -> Sequence[Addon]:
    """Every add-on, active or not, in the order of the page."""
    return await store.all_addons(session)


async def list_active_addons(*, session: AsyncSession) -> Sequence[Addon]:
    """What customers see, in the order of the page."""
    return await store.active_addons(session)


async def show_addon(*, session: AsyncSession, addon_id: UUID) -> Addon:
    """One add-on. Raises AddonUnknown."""
    addon = await store.addon_by_id(session, addon_id)
    if addon is None:
        raise AddonUnknown
    return addon


async def create_addon(*, session: AsyncSession, new: NewAddon, now: datetime) -> Addon:
    """Add an add-on under the first free slug of its name. Raises NameWithoutSlug, PriceRefused."""
    price = price_of(major=new.price, cents=new.price_cents, currency=new.currency)
    texts = new.model_dump(include={"name", "description", "bullets", "is_active", "sort_order"})
    values = texts | {"price_cents": price.cents, "currency": price.currency, "created_at": now, "updated_at": now}
    addon = await _insert_under_free_slug(session, values)
    publish_state(session, addon)
    return addon


async def edit_addon(
    *, session: AsyncSession, addon_id: UUID, if_match: str | None, edit: AddonEdit, now: datetime
) -> Addon:
    """Change what `edit` names; nothing is published when that changes nothing.

    Raises AddonUnknown, PreconditionRequired, PreconditionFailed, PriceMissing, PriceRefused.
    """
    addon = await _locked_match(session, addon_id, if_match)
    changes = edit.given
    price = _edited_price(addon, edit)
    changes |= {"price_cents": price.cents, "currency": price.currency}
    changes.pop("price", None)
    _change(session, addon, changes, now)
    return addon


async def withdraw_addon(*, session: AsyncSession, addon_id: UUID, if_match: str | None, now: datetime) -> Addon:
    """Delete softly: customers no longer see it, the ledger still does, and it can be activated again.

    Raises AddonUnknown, PreconditionRequired, PreconditionFailed.
    """
    addon = await _locked_match(session, addon_id, if_match)
    _change(session, addon, {"is_active": False}, now)
    return addon


async def _insert_under_free_slug(session: AsyncSession, values: dict[str, object]) -> Addon:
    wanted = slug_of(name=str(values["name"]))
    if not wanted:
        raise NameWithoutSlug
    while True:
        slug = first_free(wanted=wanted, taken=await store.taken_slugs(session, wanted=wanted))
        # None: another admin committed the same slug in between; now it is among those taken.
        if addon := await store.insert_addon(session, values | {"slug": slug}):
            return addon


async def _locked_match(session: AsyncSession, addon_id: UUID, if_match: str | None) -> Addon:
    addon = await store.locked_addon(session, addon_id)
    if addon is None:
        raise AddonUnknown
    require_match(if_match=if_match, etag=etag_of(sequence=addon.sequence))
    return addon


def _edited_price(addon: Addon, edit: AddonEdit) -> Price:
    currency = edit.currency or addon.currency
    if edit.price is not None or edit.price_cents is not None:
        return price_of(major=edit.price, cents=edit.price_cents, currency=currency)
    if currency != addon.currency:
        raise PriceMissing
    return Price(addon.price_cents, addon.currency)


def _change(session: AsyncSession, addon: Addon, changes: dict[str, object], now: datetime) -> None:
    before = Price(addon.price_cents, addon.currency)
    for field, value in changes.items():
        setattr(addon, field, value)
    if Price(addon.price_cents, addon.currency) != before:
        addon.stripe_price_id = None
    if session.is_modified(addon):
        addon.sequence += 1
        addon.updated_at = now
        publish_state(session, addon)
