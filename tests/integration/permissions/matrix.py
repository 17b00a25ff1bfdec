"""SPEC §1 as a table: for every operation of every service, who passes and what the others get."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

OWN: Final = "ws-own"
OTHER: Final = "ws-other"
REGISTERED_OWNERS: Final = {OWN: "olga", OTHER: "oscar"}

CALLERS: Final[Mapping[str, dict[str, Any] | None]] = {
    "owner": {"sub": "olga", "workspaces": {OWN: "owner"}},
    "claimant": {"sub": "paula", "workspaces": {OWN: "owner"}},
    "admin": {"sub": "adam", "workspaces": {OWN: "admin"}},
    "editor": {"sub": "edith", "workspaces": {OWN: "editor"}},
    "viewer": {"sub": "victor", "workspaces": {OWN: "viewer"}},
    "staff": {"sub": "mira", "platform_role": "super_admin"},
    "member": {"sub": "olga", "platform_role": "super_admin", "workspaces": {OWN: "owner"}},
    "former": {"sub": "olga"},
    "stranger": {"sub": "nina", "workspaces": {"ws-elsewhere": "owner"}},
    "nobody": None,
    "registrar": {"sub": "host", "scope": "workspaces:write"},
    "counter": {"sub": "host", "scope": "resources:write"},
}
"""`claimant`: the token says owner, the registry names somebody else. `member`: staff who owns the workspace, too.
`former`: registered as the owner, but the token says nothing of the workspace any more. The last two are the host's."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What each caller gets, in the order of CALLERS: `ok`, the refusal's status, or `sig` where a signature counts."""

    own: str
    other: str | None = None
    """In a workspace that the caller has nothing to do with; the same where it says nothing."""

    def expected(self, caller: str, workspace: str) -> str:
        """The word for this caller."""
        line = self.other if workspace == OTHER and self.other else self.own
        return dict(zip(CALLERS, line.split(), strict=True))[caller]


# fmt: off
#                   owner claim admin edit view staff membr formr strng nobdy regis count
EVERYONE = Rule(   "ok    ok    ok    ok   ok   ok    ok    ok    ok    ok    ok    ok ")
STAFF = Rule(      "403   403   403   403  403  ok    ok    403   403   401   403   403")
REGISTRAR = Rule(  "403   403   403   403  403  403   403   403   403   401   ok    403")
BUYER = Rule(      "ok    ok    ok    403  403  403   403   404   404   401   404   404",
                   "404   404   404   404  404  403   403   404   404   401   404   404")
OWNER = Rule(      "ok    403   403   403  403  403   403   404   404   401   404   404",
                   "404   404   404   404  404  403   403   404   404   401   404   404")
MEMBER = Rule(     "ok    ok    ok    ok   ok   ok    ok    404   404   401   404   404",
                   "404   404   404   404  404  ok    ok    404   404   401   404   404")
CLAIMER = Rule(    "ok    ok    ok    ok   403  403   403   404   404   401   404   ok ",
                   "404   404   404   404  404  403   403   404   404   401   404   ok ")
SIGNED = Rule(     "sig   sig   sig   sig  sig  sig   sig   sig   sig   sig   sig   sig")
# fmt: on

MATRIX: Final[Mapping[str, Rule]] = {
    # catalog
    "list_active_addons": EVERYONE,
    "list_plans": EVERYONE,
    "list_addons": STAFF,
    "create_addon": STAFF,
    "show_addon": STAFF,
    "edit_addon": STAFF,
    "withdraw_addon": STAFF,
    "show_plan": STAFF,
    "edit_plan": STAFF,
    "list_changes": STAFF,
    # purchases: the host product
    "put_workspace": REGISTRAR,
    # purchases: a workspace's people
    "list_workspace_addons": BUYER,
    "list_purchases": BUYER,
    "buy_addon": BUYER,
    "get_purchase": BUYER,
    "cancel_purchase": BUYER,
    "open_setup_session": BUYER,
    "open_checkout_session": OWNER,
    "open_portal_session": OWNER,
    "get_billing": MEMBER,
    "list_plan_refunds": BUYER,
    "list_plan_disputes": BUYER,
    "list_resources": CLAIMER,
    "claim_resource": CLAIMER,
    "free_resource": CLAIMER,
    # purchases: staff
    "search_purchases": STAFF,
    "get_purchase_for_staff": STAFF,
    "deliver_purchase": STAFF,
    "cancel_purchase_as_staff": STAFF,
    "refund_purchase": STAFF,
    "reopen_purchase": STAFF,
    "list_parked": STAFF,
    "retry_all_parked": STAFF,
    "list_stripe_refusals": STAFF,
    "list_plan_refunds_for_staff": STAFF,
    "list_plan_disputes_for_staff": STAFF,
    "retry_parked": STAFF,
    "discard_parked": STAFF,
    "allocate_parked": STAFF,
    # webhook-gateway: Stripe is known by its signature, and nobody by a token
    "about": EVERYONE,
    "receive_webhook": SIGNED,
    "receive_webhook_by_alias": SIGNED,
}
