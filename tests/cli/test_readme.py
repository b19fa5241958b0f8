"""What the documents name exists, and the repository says nothing of the machine it was written on."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from flows.cli.commands import app
from flows.settings import PROJECT

pytestmark = pytest.mark.long

DOCUMENTS = sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "README.md", *PROJECT.glob("docs/**/*.md")))
# One letter of each in brackets, so that this file does not find itself.
PACKAGE_INDEX = re.compile(
    r"(?i)https?://\S*(pyp[i]|/simpl[e]\b|/artifactor[y]|/nexu[s])|--(extra-)?index-ur[l]|--find-link[s]|--trusted-hos[t]"
)
ONE_MACHINE = re.compile(r"(?<![\w.~*)}-])/(roo[t]|wor[k]|hom[e]|User[s])/\w")


def tracked() -> list[str]:
    """The text files under version control."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in names if name and (PROJECT / name).is_file() and b"\0" not in (PROJECT / name).read_bytes()]


def found(pattern: re.Pattern[str], names: list[str]) -> list[str]:
    """Where a pattern is: `file:line`."""
    return [
        f"{name}:{number}"
        for name in names
        for number, line in enumerate((PROJECT / name).read_text().splitlines(), start=1)
        if pattern.search(line)
    ]


def blocks(document: str) -> Iterator[str]:
    """The lines of the sh and console blocks of a document."""
    for block in re.findall(r"^```(?:sh|console)\n(.*?)^```", (PROJECT / document).read_text(), flags=re.DOTALL | re.MULTILINE):
        yield from (line.removeprefix("$ ") for line in block.replace("\\\n", " ").splitlines())


def commands(document: str) -> list[str]:
    """What is typed after `jalon` in the blocks of a document."""
    said = (re.match(r"(?:\w+=\S+ )*(?:\.venv/bin/)?jalon\s+(.+)", line) for line in blocks(document))
    return [one[1] for one in said if one]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_a_document_names_exists(document: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE)
    named = re.findall(r"(?:`|^|[;&] )make ([a-z-]+)", (PROJECT / document).read_text(), flags=re.MULTILINE)
    assert [target for target in named if target not in targets] == []


def test_the_readme_names_its_two_commands() -> None:
    assert {"make demo", "make test"} <= set(blocks("README.md"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_document_shows_is_understood(document: str) -> None:
    """Parsed whole, options included, without being run."""
    for line in commands(document):
        app().parse_args(shlex.split(line, comments=True), exit_on_error=False, print_error=False)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_sentence_names_exists(document: str) -> None:
    named = re.findall(r"`(?:\.venv/bin/)?jalon ([a-z][a-z_-]*)", (PROJECT / document).read_text())
    assert [word for word in named if word not in set(app())] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_exists(document: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", (PROJECT / document).read_text())
    assert [link for link in links if not ((PROJECT / document).parent / link).exists()] == []


def test_no_tracked_file_names_a_package_index() -> None:
    assert found(PACKAGE_INDEX, tracked()) == []


def test_no_tracked_file_names_a_folder_of_one_machine() -> None:
    assert found(ONE_MACHINE, tracked()) == []


def test_the_patterns_find_what_they_should() -> None:
    for index in (f"--index-{'url'} x", f"https://{'py'}{'pi'}.org", f"http://mirror.example/{'simple'}/prefect"):
        assert PACKAGE_INDEX.search(index)
    assert ONE_MACHINE.search(f"cd {'/root'}/project")
    assert not ONE_MACHINE.search("docs/work/plan")


def test_requirements_are_locked_with_hashes_and_nothing_else() -> None:
    for path in sorted((PROJECT / "requirements").glob("*.txt")):
        lines = [line for line in path.read_text().splitlines() if line and not line.lstrip().startswith("#")]
        assert [line for line in lines if not re.match(r"(\s+--hash=sha256:[0-9a-f]{64}|[A-Za-z0-9._-]+==\S+)", line)] == []
