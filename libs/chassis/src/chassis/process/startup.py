"""What each process does with its settings before anything else."""

import re
import sys
from collections.abc import Sequence
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import SettingsError

from chassis.process import killpoints, metrics
from chassis.process.logs import configure_logs, get_logger, without_secrets
from chassis.process.settings import ServiceSettings

OwnSettings = TypeVar("OwnSettings", bound=ServiceSettings)

log = get_logger(__name__)


def prepare_process(kind: type[OwnSettings], *, service: str) -> OwnSettings:
    """Return the settings of the environment, with the log configured and a fault test's kill point armed.

    Exits with a sentence for each setting that cannot be read, and without its value.
    """
    try:
        settings = kind()
    except ValidationError as error:
        configure_logs(service=service)
        refuse_unless_sound(unreadable(error))
        raise
    except SettingsError as error:
        configure_logs(service=service)
        refuse_unless_sound([_no_text(error)])
        raise
    configure_logs(service=service, level=settings.log_level)
    killpoints.arm("" if settings.protected else settings.kill_at)
    start_tracing(settings, service=service)
    return settings


def start_tracing(settings: ServiceSettings, *, service: str) -> None:
    """Export traces where the settings say to whom; else nothing of OpenTelemetry is imported."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if not endpoint:
        return
    from chassis.tracing.opentelemetry_sdk import Receiver, start

    receiver = Receiver(
        endpoint=endpoint, share=settings.otel_traces_sampler_arg, trusts_callers=settings.otel_trust_callers
    )
    start(
        receiver,
        service=service,
        instance=settings.quittance_instance,
        clean=without_secrets,
        count=lambda outcome, spans: metrics.SPANS.labels(outcome).inc(spans),
    )


def unreadable(error: ValidationError) -> list[str]:
    """Return a sentence for each setting that `error` is about; never a value."""
    return [_sentence(one["loc"], one["type"], one["msg"]) for one in error.errors(include_input=False)]


def refuse_unless_sound(findings: Sequence[str]) -> None:
    """Exit with 1 where there are findings, each said in the log and on standard error."""
    if not findings:
        return
    for finding in findings:
        log.critical("refused_to_start", finding=finding)
    sys.exit("\n".join(findings))


def _no_text(error: SettingsError) -> str:
    """Say that a file of secrets is no UTF-8, or a list no JSON; the error names the field alone."""
    field = re.search(r'field "(\w+)"', str(error))
    return f"{field[1].upper() if field else 'A setting'} cannot be read: it is no text of its kind."


def _sentence(place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(place[0]).upper() if place else "Settings"
    return f"{name} is not set: set it." if kind == "missing" else f"{name} cannot be read: {message}."
