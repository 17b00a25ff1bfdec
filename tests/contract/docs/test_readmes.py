"""The READMEs: the root's table of services, the services' headings, length and diagram."""

from pathlib import Path

import pytest

from purchases.diagram import diagram, with_diagram
from sandbox.processes import PREFERRED_PORTS
from sandbox.processes import SERVICES as PROCESSES
from tests.contract.docs.markdown import FILES, ROOT, SERVICES, code, headings, links, name_of, rows

HEADINGS = ["Owns", "Listens", "Publishes", "The table", "Run it alone"]
README = (ROOT / "README.md").read_text()
LONGEST_LINE = 400


def _is_for_people(path: Path) -> bool:
    """Return whether it is a page of the front, of docs, or a README."""
    name = name_of(path)
    front = {"ARCHITECTURE.md", "CONTRIBUTING.md", "PROMISES.md"}
    return name in front or path.name == "README.md" or name.startswith(("docs/", "services/"))


def readme_of(service: str) -> str:
    return (ROOT / "services" / service / "README.md").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_has_at_most_sixty_lines_under_the_same_headings(service: str) -> None:
    text = readme_of(service)

    assert [service, *HEADINGS] == [heading.strip("`") for heading in headings(text)]
    assert len(text.splitlines()) <= 60


def test_the_diagram_of_purchases_is_that_of_its_table() -> None:
    text = readme_of("purchases")

    assert diagram() in text
    assert with_diagram(text) == text


def test_another_diagram_would_be_noticed() -> None:
    text = readme_of("purchases").replace("payment succeeded", "payment failed")

    assert with_diagram(text) != text


def test_the_readme_has_the_two_commands() -> None:
    for command in ("make demo", "make test"):
        assert command in code(README)


def test_the_readme_lists_every_service_and_links_to_it() -> None:
    assert {f"services/{service}/README.md" for service in SERVICES} <= set(links(README))
    assert (
        sorted(cells[0].partition("]")[0].strip("[") for cells in rows(README) if "services/" in cells[0]) == SERVICES
    )


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_the_readme_says_where_each_process_answers(process: object) -> None:
    name = next(known.name for known in PROCESSES if known is process)
    port = PREFERRED_PORTS.get(name)

    assert any(name in " ".join(cells) and (port is None or str(port) in " ".join(cells)) for cells in rows(README))


@pytest.mark.parametrize(
    "name", ["ARCHITECTURE", "docs/decisions/README", "PROMISES", "CONTRIBUTING", "CHANGELOG", "SECURITY"]
)
def test_the_readme_leads_to_the_other_documents(name: str) -> None:
    assert f"{name}.md" in links(README)


@pytest.mark.parametrize("path", [path for path in FILES if _is_for_people(path)], ids=name_of)
def test_no_line_is_longer_than_a_reader_follows(path: Path) -> None:
    long = [line for line in path.read_text().splitlines() if len(line) > LONGEST_LINE]

    assert [line[:60] for line in long] == []


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()

    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert len(text.splitlines()) > 190


def test_every_markdown_file_begins_with_its_title_and_ends_with_one_newline() -> None:
    texts = {name_of(path): path.read_text() for path in FILES}

    assert [name for name, text in texts.items() if not text.startswith("# ")] == []
    assert [name for name, text in texts.items() if not text.endswith("\n") or text.endswith("\n\n")] == []
