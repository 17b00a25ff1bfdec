# `make` alone lists what there is. Everything is installed into this checkout: .venv, .cache and .stack.
.DEFAULT_GOAL := help
.PHONY: help install demo up down status unit test faults guards simulate rounds journeys golden unchanged browser conformance alerts images audit docs check bench cluster lock clean
.DELETE_ON_ERROR:

PY := .venv/bin/python
INSTALLED := .venv/installed
MEMBERS := contracts libs/stripe_reader libs/chassis services/catalog services/purchases services/webhook-gateway services/notifier sandbox
AUDITOR := .cache/auditor
# What cannot be tried in part: with fewer rows PostgreSQL reads joined tables whole, and rightly; a process for each program.
IN_FULL := integration/purchases_pages/test_reads_at_100000.py contract/test_command_lines.py
# What `make test` leaves to other targets, each a step of `.ci/run`: it takes long, or needs more than Python.
APART := alerts browser cluster conformance faults images simulation journeys/test_rolling_upgrade.py $(IN_FULL)
BROKER ?=
SEEDS ?= 800
# Each worker of the test run has a database server, a broker and, where it needs one, a whole product of its own.
# Four leave two cores idle a third of the time, and each more costs what it collects and starts (decision 96).
# Where ARGS name some tests, no worker has to start first.
WORKERS ?= $(if $(findstring tests/,$(ARGS))$(findstring -k,$(ARGS)),0,6)
export BROKER
# What is started is compiled once, and not at every start.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@echo "usage: make TARGET [BROKER=kafka|librdkafka]"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F '|' '{ printf "%-12s %s\n", $$1, $$2 }'

install: $(INSTALLED) ## what everything else needs, into .venv; other targets do it when it is missing or old
	@echo "installed in .venv"

$(INSTALLED): requirements.lock $(MEMBERS:%=%/pyproject.toml)
	@sh sandbox/install.sh $(MEMBERS)
	@touch $@

demo: $(INSTALLED) ## start everything, play the main job through the public interfaces, check it, stop everything
	@$(PY) -m sandbox.demo

up: $(INSTALLED) ## start everything and leave it running; prints the addresses
	@$(PY) -m sandbox up

down: $(INSTALLED) ## stop what `make up` started
	@$(PY) -m sandbox down

status: $(INSTALLED) ## what runs, and where
	@$(PY) -m sandbox status

unit: $(INSTALLED) ## the tests that need no server, in seconds; ARGS='-k word' for some
	@$(PY) -m pytest -q --numprocesses=$(if $(ARGS),0,2) --ignore=tests/contract/test_command_lines.py \
		$(if $(findstring tests/,$(ARGS)),,tests/unit tests/contract) $(ARGS)

test: $(INSTALLED) ## every test but those with a target of their own; ARGS='tests/… -k word' for some
	@$(PY) -m pytest --numprocesses=$(WORKERS) --dist=loadfile $(APART:%=--ignore=tests/%) $(ARGS)

faults: $(INSTALLED) ## processes killed, stopped and cut off from what they need, on Apache Kafka; afterwards all must agree
	@sh tests/faults/install.sh
	@$(PY) -m pytest --numprocesses=0 tests/faults $(ARGS)

simulate: $(INSTALLED) ## the ledger in an order, and with faults and deaths, that a seed decides; SEEDS=2000 of them, or SEED=7 again
	@PYTHONHASHSEED=0 SEEDS=$(SEEDS) SEED=$(SEED) $(PY) -m pytest --numprocesses=$(if $(SEED),0,2) tests/simulation $(ARGS)

guards: $(INSTALLED) ## take each guard out in a copy of the tree and show which test fails without it; ARGS="'name of one'"
	@$(PY) -m tests.guards $(ARGS)

rounds: $(INSTALLED) ## what `make test` tries some times, as often as its claims say: rare orders, races, fuzz, large tables
	@ROUNDS=all $(PY) -m pytest --numprocesses=3 --dist=loadfile \
		$$(grep -rl --include='test_*.py' 'from tests.rounds import' tests) $(IN_FULL:%=tests/%) $(ARGS)

journeys: $(INSTALLED) ## the journeys and a rolling upgrade, every service started for real and not forked from one that has imported it
	@FORK=no $(PY) -m pytest tests/journeys $(ARGS)

golden: $(INSTALLED) ## record anew what the journeys leave at the edges, into tests/golden; ARGS='-k word' for some
	@GOLDEN=record $(PY) -m pytest tests/journeys $(ARGS)

unchanged: $(INSTALLED) ## the journeys, compared with what they left when `make golden` recorded them
	@GOLDEN=compare $(PY) -m pytest tests/journeys $(ARGS)

browser: $(INSTALLED) ## the pages as people use them, in Chromium (apt-get install chromium); pictures in screenshots/
	@$(PY) -m pytest tests/browser $(ARGS)

conformance: $(INSTALLED) ## the Stripe sandbox against Stripe's own description, and our requests against stripe-mock; needs Go
	@$(PY) -m pytest tests/conformance $(ARGS)

cluster: $(INSTALLED) ## the manifests on a real Kubernetes API server, and an upgrade under load; builds it first (Go, or PyPI's)
	@$(PY) -m pytest --numprocesses=0 tests/cluster $(ARGS)

images: $(INSTALLED) ## build every image and run it as restricted as in production; as root, on Debian or Ubuntu
	@sh tests/images/install.sh
	@$(PY) -m pytest tests/images $(ARGS)

alerts: $(INSTALLED) ## the alert rules, by promtool and on the running product; installs Prometheus as root, on Debian or Ubuntu
	@sh tests/alerts/install.sh
	@$(PY) -m pytest --numprocesses=$(if $(ARGS),0,2) --dist=loadfile tests/alerts $(ARGS)

audit: $(AUDITOR) ## known vulnerabilities of what is pinned, where their database can be reached; ARGS=--must fails elsewhere
	@PYTHONPATH=$(AUDITOR) $(PY) deploy/release/audit.py $(ARGS)

$(AUDITOR): deploy/release/tools.lock $(INSTALLED)
	@rm -rf $@
	@.venv/bin/uv pip install --quiet --python $(PY) --target $@ --require-hashes --no-deps -r deploy/release/tools.lock
	@touch $@

docs: $(INSTALLED) ## write anew whatever is made from the code: schemas, API descriptions, diagram, tables in documents
	@$(PY) -m contracts.schemas
	@$(PY) -m contracts.asyncapi
	@for service in catalog purchases webhook_gateway; do $(PY) -m $$service.openapi || exit; done
	@$(PY) -m purchases.diagram --write services/purchases/README.md
	@$(PY) -m tests.contract.docs
	@$(PY) deploy/observability/make_dashboards.py
	@$(PY) -m tests.contract.deploy

check: $(INSTALLED) ## format, lint, types, layers, documents
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/contract/docs

bench: $(INSTALLED) ## the figures of the README, measured here
	@$(PY) -m tests.bench

lock: $(INSTALLED) ## pin anew what pyproject.toml and deploy/release/tools.in ask for
	.venv/bin/uv lock --quiet --upgrade
	.venv/bin/uv export --quiet --all-packages --all-groups --no-emit-workspace --no-header --output-file requirements.lock
	.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--output-file deploy/release/tools.lock deploy/release/tools.in

clean: ## stop what runs, and remove all that was installed or made here
	@if [ -x $(PY) ]; then $(PY) -m sandbox down; fi
	@! [ -r /proc/mounts ] || awk -v below=$(CURDIR)/.cache/ 'index($$2, below) == 1 { print $$2 }' /proc/mounts | xargs -r umount
	rm -rf .venv .cache .stack .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
