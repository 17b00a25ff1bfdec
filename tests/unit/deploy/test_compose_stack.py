"""The compose stack is the embedded one on other parts: the same commands, ports, databases and topics."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from contracts.topics import ALL_TOPICS, TOPICS
from sandbox import make_topics
from sandbox.description import read
from sandbox.front.pages import NEVER_TWICE, STYLE, STYLE_PATH, TITLE, WHETHER_PAID
from sandbox.front.routes import HOME, NOWHERE, ROUTES, service_for
from sandbox.kafka_jars import kafka_version
from sandbox.processes import AT_STRIPE, DATABASES, PREFERRED_PORTS, SIGNED_IN_AT, STRIPE_KEY, Service
from sandbox.processes import SERVICES as PROCESSES
from tests.stack.docker import KAFKA_IMAGE, POSTGRES_IMAGE
from tests.unit.deploy.compose import COMPOSE, OURS, ROOT, SERVICES, command, environment, option, published

NAMES = [process.name for process in PROCESSES]
JOBS = {name for name in OURS if SERVICES[name]["restart"] == "no" and "profiles" not in SERVICES[name]}


def test_the_compose_file_follows_the_compose_specification() -> None:
    """Against the schema that check-jsonschema carries: no network."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", COMPOSE], env=nowhere, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("process", PROCESSES, ids=NAMES)
def test_the_same_commands_run(process: Service) -> None:
    assert process.command == command(process.name)


def test_the_same_databases_are_prepared_the_same_way() -> None:
    prepared = {words for database in DATABASES for words in database.prepare}

    assert prepared | set(AT_STRIPE.values()) == {command(name) for name in JOBS} - {("sandbox.make_topics",)}


@pytest.mark.parametrize("name", NAMES)
def test_a_service_starts_when_its_database_and_the_topics_are_there(name: str) -> None:
    database = next(process.database for process in PROCESSES if process.name == name)
    needed = {"topics"} | ({"seed-catalog"} if name == "catalog" else {f"migrate-{database}"} if database else set())

    assert {key: {"condition": "service_completed_successfully"} for key in needed} == SERVICES[name]["depends_on"]


@pytest.mark.parametrize("name", NAMES)
def test_ready_is_asked_on_the_operations_port(name: str) -> None:
    url = urlsplit(SERVICES[name]["healthcheck"]["test"][-1])

    assert (int(environment(name)["OPS_PORT"]), "/readyz") == (url.port, url.path)


@pytest.mark.parametrize("name", NAMES)
def test_ports_are_those_that_make_up_prefers(name: str) -> None:
    process = next(process for process in PROCESSES if process.name == name)
    ports = {int(environment(name)["OPS_PORT"]): process.ops_port}
    if process.http_port:
        ports[int(environment(name)["HTTP_PORT"])] = process.http_port

    assert ports == published(name)


def test_so_are_those_of_what_the_services_stand_on() -> None:
    ports = PREFERRED_PORTS

    assert {8025: ports["mailbox"], 1025: ports["smtp"]} == published("mailpit")
    assert [ports["postgres"]] == list(published("postgres").values())
    assert [ports["kafka"]] == list(published("kafka").values())
    assert [ports["stripe"]] == list(published("stripe-sandbox").values())
    assert [ports["issuer"]] == list(published("issuer").values())
    assert [ports["front"]] == list(published("front").values())


def test_the_pages_have_the_same_paths_under_one_origin() -> None:
    """Each `handle @service` of the Caddyfile: the paths of its matcher, and where they go."""
    config = (ROOT / "deploy/docker/front/Caddyfile").read_text()
    handled = re.findall(r"@(\S+) path (.+)\n\thandle @\1 \{\n\t\treverse_proxy (\S+)\n\t\}", config)

    paths = {path: name for name, paths, _ in handled for path in paths.split()}
    assert {path: name for prefix, name in ROUTES.items() for path in (prefix, f"{prefix}/*")} == paths
    assert list(dict.fromkeys(ROUTES.values())) == [name for name, _, _ in handled]
    assert {(name, f"{name}:{environment(name)['HTTP_PORT']}") for name in ROUTES.values()} == {
        (name, target) for name, _, target in handled
    }
    (beyond,) = re.findall(r"\n\thandle \{\n\t\trewrite \* (\S+)\n\t\treverse_proxy (\S+)\n\t\}", config)
    targets = {name: target for name, _, target in handled}
    assert beyond == (NOWHERE, targets[str(service_for(NOWHERE))])
    assert config.count("reverse_proxy") == len(handled) + 1
    assert f"redir / {HOME} 303" in config


def test_the_front_listens_where_it_is_published_and_asked_for_its_health() -> None:
    config = (ROOT / "deploy/docker/front/Caddyfile").read_text()
    (inside,) = published("front")

    assert f"\n:{inside} {{\n" in config
    assert f"http://127.0.0.1:{inside}/healthz" in SERVICES["front"]["healthcheck"]["test"]
    assert "handle /healthz {" in config


def test_the_front_writes_no_query_of_an_address_down() -> None:
    """A payment's client secret and a sign-in's code come in one; Caddy logs the address of what it cannot pass on."""
    config = (ROOT / "deploy/docker/front/Caddyfile").read_text()
    options, _, sites = config.partition("\n}\n")
    (pattern, instead) = re.findall(r"\n\t+request>uri regexp (\S+) (\S+)\n", options)[0]

    address = re.sub(pattern, instead, "/app/acme/billing/addons?payment_intent_client_secret=pi_1_secret_2&back=setup")

    assert address == "/app/acme/billing/addons?not-logged"
    assert "log" not in re.findall(r"\n\t(\w+)", sites)


def test_a_service_that_is_down_is_reported_in_the_same_words() -> None:
    """In the same look, and without anything inline."""
    config = (ROOT / "deploy/docker/front/Caddyfile").read_text()
    page = config.partition("handle_errors {")[2]

    assert all(words in page for words in (f"<h1>{TITLE}</h1>", WHETHER_PAID, NEVER_TWICE))
    assert f"handle {STYLE_PATH} {{" in config
    assert STYLE in config
    assert f'<link rel="stylesheet" href="{STYLE_PATH}">' in page
    assert "default-src 'none'; style-src 'self'; frame-ancestors 'none'" in page
    assert not re.search(r"<style|<script|<img| style=| on\w+=", config)


def test_people_who_signed_in_come_back_to_the_pages() -> None:
    origin = environment("purchases-api")["PUBLIC_BASE_URL"]

    assert f"{origin}{SIGNED_IN_AT}" == option("issuer", "--redirect-uri")
    assert [urlsplit(origin).port] == list(published("front").values())


def test_nothing_is_published_beyond_the_loopback_interface() -> None:
    mappings = [mapping for service in SERVICES.values() for mapping in service.get("ports", [])]

    assert [mapping for mapping in mappings if not mapping.startswith("127.0.0.1:")] == []


def test_no_two_containers_want_one_port() -> None:
    ports = [port for name in SERVICES for port in published(name).values()]

    assert len(ports) == len(set(ports))


def test_the_topics_are_those_of_the_contracts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[str] = []

    async def create(bootstrap: str, topics: object, *, within: float) -> None:
        assert topics is ALL_TOPICS
        made.append(bootstrap)

    monkeypatch.setattr(make_topics, "create_topics", create)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", environment("topics")["KAFKA_BOOTSTRAP_SERVERS"])

    assert make_topics.main() == 0
    assert [environment("catalog")["KAFKA_BOOTSTRAP_SERVERS"]] == made
    assert {topic.name for topic in TOPICS.values()} == {
        line.partition(":")[0] for line in capsys.readouterr().out.splitlines()
    }


def test_no_topic_is_made_by_using_it() -> None:
    assert environment("kafka")["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_each_database_has_a_role_of_its_own() -> None:
    script = (ROOT / "deploy/docker/postgres/roles.sh").read_text()
    names = [database.name for database in DATABASES]

    assert f"for name in {' '.join(names)}; do" in script
    assert "password 'dev-only-$name'" in script
    for name in JOBS - {"topics"}:
        database = command(name)[0]
        assert (
            f"postgresql://{database}:dev-only-{database}@postgres:5432/{database}" == environment(name)["DATABASE_URL"]
        )


def test_every_image_is_pinned_and_the_same_everywhere() -> None:
    foreign = {name: str(service["image"]) for name, service in SERVICES.items() if name not in OURS}

    assert [image for image in foreign.values() if ":" not in image or image.endswith(":latest")] == []
    assert (foreign["postgres"], foreign["kafka"]) == (POSTGRES_IMAGE, KAFKA_IMAGE)
    assert f"apache/kafka:{kafka_version()}" == foreign["kafka"]


def test_without_a_profile_no_account_is_needed() -> None:
    profiles: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for profile in service.get("profiles", []):
            profiles.setdefault(profile, set()).add(name)

    assert profiles == {
        "stripe": {"stripe-cli"},
        "mock": {"stripe-mock"},
        "tools": {"psql", "kafka-groups", "sweep", "backfill"},
        "observability": {"prometheus", "alertmanager", "grafana", "tempo"},
    }
    assert environment("purchases-api")["STRIPE_SECRET_KEY"] == STRIPE_KEY


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_little_whoever_made_its_image(name: str) -> None:
    service = SERVICES[name]

    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 512
    assert service["mem_limit"].endswith("m")
    assert service.keys() & {"privileged", "network_mode", "pid", "ipc", "userns_mode", "devices"} == set()


@pytest.mark.parametrize("name", sorted({*SERVICES} - {*OURS}))
def test_a_container_of_somebody_elses_image_does_not_run_as_root(name: str) -> None:
    """The user of ours stands in the image."""
    assert str(SERVICES[name]["user"]).partition(":")[0] not in {"", "0", "root"}


def test_one_right_is_given_back_to_one_container() -> None:
    """Caddy's program file carries it, and is not started where it cannot have it."""
    assert {name: service["cap_add"] for name, service in SERVICES.items() if "cap_add" in service} == {
        "front": ["NET_BIND_SERVICE"]
    }


def test_a_file_of_this_machine_is_mounted_to_be_read_only() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", []) if mount.startswith("./")]

    assert mounts
    assert [mount for mount in mounts if not mount.endswith(":ro")] == []
    assert [mount for mount in mounts if not (ROOT / mount.split(":")[0]).exists()] == []


def test_every_process_is_scraped_under_its_name() -> None:
    config = yaml.safe_load((ROOT / "deploy/observability/prometheus.yml").read_text())
    (targets,) = [one["targets"] for job in config["scrape_configs"] for one in job["static_configs"]]

    ours = [name for name in OURS if "OPS_PORT" in environment(name) and name not in {*JOBS, "sweep", "backfill"}]
    assert sorted(targets) == sorted(f"{name}:{environment(name)['OPS_PORT']}" for name in ours)


def test_the_relay_runs_apart_and_nowhere_else() -> None:
    """As in production: a service that also relays would hide a relay that does not."""
    inside = {name for name in OURS if environment(name).get("RELAY") == "apart"}

    assert inside == {"catalog", "purchases-worker"}
    assert {command(name) for name in OURS if command(name)[-1] == "relay"} == {
        ("catalog", "relay"),
        ("purchases", "relay"),
    }


def test_a_script_can_drive_it_as_it_drives_the_embedded_stack() -> None:
    path = ROOT / "deploy/docker/stack.json"
    stack = read(path)
    assert stack is not None

    urls = {name: url for name, url in json.loads(path.read_text()).items() if name.endswith("_url")}
    assert PREFERRED_PORTS["webhook-gateway"] == urlsplit(stack.gateway_url).port
    assert {urlsplit(url).port for url in urls.values()} <= {
        port for name in SERVICES for port in published(name).values()
    }
    assert environment("webhook-gateway")["STRIPE_WEBHOOK_SECRETS"].split(",") == stack.stripe_webhook_secrets
    inside = {name: url.replace("127.0.0.1:15432", "postgres:5432") for name, url in stack.database_urls.items()}
    assert {command(name)[0]: environment(name)["DATABASE_URL"] for name in JOBS - {"topics"}} == inside
