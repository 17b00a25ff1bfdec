"""Staff's pages of one add-on: a new one, and an edit by which nobody's work is lost."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from catalog.api.requests import AddonId, Db, Prices, Staff, now
from catalog.bodies import AddonEdit, NewAddon
from catalog.etags import PreconditionFailed
from catalog.handlers.addons import AddonMade, create_addon, edit_addon
from catalog.pages.addon_form import AddonForm, differences, errors_of
from catalog.pages.addons import DONE, LIST, Done, read_addon
from catalog.views import AdminAddon
from chassis.money import SUPPORTED_CURRENCIES
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.forms import typed
from chassis.pages.locales import visitors_locale
from chassis.pages.site import see_other
from chassis.pages.typed_amounts import local_amount
from chassis.problems import Problem

CURRENCIES: Final = sorted(SUPPORTED_CURRENCIES)

router = page_router(LIST)


@router.get("/new")
async def show_new_addon(_: Staff, request: Request, pages: AtPages) -> Response:
    return _page(pages, request, AddonForm.empty())


@router.post("/new")
async def make_addon(by: Staff, request: Request, pages: AtPages, database: Db, prices: Prices) -> Response:
    fields = await typed(request)
    form = AddonForm.typed(fields)
    if move := dict(fields).get("move"):
        return _moved(pages, request, form, move)
    form, locale = form.without_gaps(), visitors_locale(request)
    try:
        new = NewAddon.model_validate(form.body(locale=locale))
        async with database.transaction() as session:
            made = await create_addon(session=session, new=new, by=by, now=now(), addon_id=_id(form))
    except AddonMade as already:
        return await _sent_again(
            pages, request, form.as_stored(new, locale=locale), already.addon_id, database, done="created"
        )
    except (ValidationError, Problem) as error:
        return _page(pages, request, form, errors=errors_of(error) | form.price_error(locale=locale))
    prices.forget()
    return see_other(f"{LIST}/{made.id}?done=created")


@router.get("/{addon_id}")
async def show_addon(
    _: Staff, addon_id: AddonId, request: Request, pages: AtPages, database: Db, done: Done = None
) -> Response:
    addon = await read_addon(database, addon_id)
    return _page(
        pages, request, AddonForm.of(addon, locale=visitors_locale(request)), addon=addon, done=DONE.get(done or "")
    )


@router.post("/{addon_id}")
async def save_addon(
    by: Staff, addon_id: AddonId, request: Request, pages: AtPages, database: Db, prices: Prices
) -> Response:
    fields = await typed(request)
    form, move = AddonForm.typed(fields), dict(fields).get("move")
    addon = await read_addon(database, addon_id)
    if move:
        return _moved(pages, request, form, move, addon=addon)
    form, locale = form.without_gaps(), visitors_locale(request)
    try:
        edit = AddonEdit.model_validate(form.body(locale=locale))
        async with database.transaction() as session:
            await edit_addon(session=session, addon_id=addon_id, if_match=form.version, edit=edit, by=by, now=now())
    except PreconditionFailed:
        return await _sent_again(pages, request, form.as_stored(edit, locale=locale), addon_id, database, done="saved")
    except (ValidationError, Problem) as error:
        errors = errors_of(error) | form.price_error(locale=locale)
        return _page(pages, request, form, addon=addon, errors=errors)
    prices.forget()
    return see_other(f"{LIST}/{addon_id}?done=saved")


async def _sent_again(
    pages: Pages, request: Request, form: AddonForm, addon_id: UUID, database: Db, *, done: str
) -> Response:
    """Lead on where what was typed stands there already, as after a double click; show what differs beside it.

    Saved once more, what was typed replaces what is there now.
    """
    addon = await read_addon(database, addon_id)
    theirs = AddonForm.of(addon, locale=visitors_locale(request))
    conflict = differences(theirs, form)
    if not conflict:
        return see_other(f"{LIST}/{addon_id}?done={done}")
    seen = replace(form, version=theirs.version)
    return _page(pages, request, seen, addon=addon, conflict=conflict, is_made=done == "created", status=412)


def _moved(pages: Pages, request: Request, form: AddonForm, move: str, addon: AdminAddon | None = None) -> Response:
    moved, here = form.moved(move)
    return _page(pages, request, moved, addon=addon, focus=here)


def _page(
    pages: Pages,
    request: Request,
    form: AddonForm,
    *,
    addon: AdminAddon | None = None,
    status: int | None = None,
    **given: Any,
) -> Response:
    unsaid: dict[str, Any] = {"errors": {}, "focus": None, "conflict": None, "is_made": False, "done": None}
    example = local_amount("499.00", locale=visitors_locale(request))
    always = {"form": form, "addon": addon, "currencies": CURRENCIES, "example": example}
    return pages.page(request, "addon.html", status=status, **unsaid | always | given)


def _id(form: AddonForm) -> UUID | None:
    """Return the key of a form of ours; one of somebody's own making makes no repeat."""
    try:
        return UUID(form.key)
    except ValueError:
        return None
