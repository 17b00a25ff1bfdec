"""What a run of this suite can be taken for: what ran, what was only accepted, and what nobody could check here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tests.cluster.manifests import is_custom, kind_of
from tests.cluster.placing import Overlay, pod_template

ACTED_ON: Final = frozenset({"ConfigMap", "Namespace", "PodDisruptionBudget", "Secret", "Service", "ServiceAccount"})
"""Kinds that the control plane's own controllers, the nodes of this suite or the API server itself act on."""

NOBODY_CHECKED: Final = (
    "NetworkPolicies: no packet was filtered",
    "resource limits, the read-only root and the user of a container: no container ran (`make images` runs them)",
    "Strimzi, CloudNativePG, KEDA, External Secrets, the Gateway, the Prometheus operator: none of them ran",
    "HPAs: no metrics server, so they kept to their minimum",
    "pulling images, mounting volumes, a cloud's load balancer, a node that dies",
)


@dataclass(slots=True)
class Report:
    """Lines that tests and fixtures add as they come to know them."""

    ran: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    accepted: dict[str, set[str]] = field(default_factory=dict)
    not_held_to_a_schema: set[str] = field(default_factory=set)
    custom_kinds: set[str] = field(default_factory=set)

    def note(self, overlays: Iterable[Overlay], *, not_held: set[str]) -> None:
        """Take down which kinds nobody acts on, and which custom ones are held to no schema."""
        self.not_held_to_a_schema |= not_held
        for overlay in overlays:
            for found in overlay.objects:
                if is_custom(found):
                    self.custom_kinds.add(kind_of(found))
                if found["kind"] not in ACTED_ON and (pod_template(found) is None or found["kind"] == "CronJob"):
                    self.accepted.setdefault(found["kind"], set()).add(overlay.name)

    def lines(self) -> list[str]:
        """Return the summary."""
        accepted = [f"{kind} ({', '.join(sorted(overlays))})" for kind, overlays in sorted(self.accepted.items())]
        return [
            "ran for real:",
            *(f"  {line}" for line in self.ran or ["nothing"]),
            f"refused, each with its reason ({len(self.refused)}): {', '.join(self.refused) or 'nothing'}",
            "accepted as an object by the API server, and enforced or acted on by nobody here:",
            *(f"  {line}" for line in accepted or ["nothing"]),
            "custom resources:",
            f"  {self._custom()}",
            "what nobody could check here:",
            *(f"  {line}" for line in NOBODY_CHECKED),
        ]

    def _custom(self) -> str:
        if not self.custom_kinds:
            return "none was applied"
        held = sorted(self.custom_kinds - self.not_held_to_a_schema)
        free = sorted(self.not_held_to_a_schema)
        return f"held to a schema: {', '.join(held) or 'none'}; not held to a schema: {', '.join(free) or 'none'}"


REPORT: Final = Report()
