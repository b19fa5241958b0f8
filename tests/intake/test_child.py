"""What is parsed for somebody is parsed in a child: whatever happens there, the parent has values or one sentence, and no child is left."""

from __future__ import annotations

import io
import os
import resource
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer

import pytest
from sheet_files import HEADERS, TABLE, as_csv, as_ods, as_xlsx
from test_bad_sheets import CONTENT, GOOD_ODS, GOOD_XLSX, SHEET1, cell_of, line_of, repacked, row_of, rows_of_ods, rows_of_xlsx

from flows.intake import cells, workbooks
from flows.ports import child
from models.answers import Invalid
from models.database.faults import Unreachable

READER = "flows.intake.cells"
TOO_MUCH = "C’est trop."


def children() -> set[str]:
    """The processes that this one has started, dead ones that nobody has waited for included; other tests have some of their own."""
    return {pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A module of its own, whose `answer` does what the test says."""
    monkeypatch.setattr(child, "START", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {child.START}")

    def made(body: str) -> str:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (tmp_path / "reader_of_a_test.py").write_text(f"def answer(content, *words):\n{lines}")
        return "reader_of_a_test"

    return made


def answered(name: str, content: bytes = b"") -> str:
    """What the person is told, or the values."""
    try:
        return str(child.answered(name, content, too_much=TOO_MUCH))
    except Invalid as told:
        (sentence,) = told.sentences
        return sentence


# A bomb small enough for a letter.

SPACES = CONTENT.replace("<table:table-row", line_of(cell_of('<text:s text:c="2000000000"/>')) + "<table:table-row", 1)
ENTITIES = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))


def small_ods() -> bytes:
    """About 800 bytes: a cell that says to hold two thousand million spaces."""
    spaces = '<table:table-cell office:value-type="string"><text:p><text:s text:c="2000000000"/></text:p></table:table-cell>'
    names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    body = f'<office:body><office:spreadsheet><table:table table:name="L"><table:table-row>{spaces}</table:table-row></table:table>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml", f"<office:document-content {names}>{body}</office:spreadsheet></office:body></office:document-content>"
        )
    return target.getvalue()


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "an ODS of two thousand million spaces": (small_ods, TOO_MUCH),
    "the same among others": (lambda: repacked(GOOD_ODS, {"content.xml": SPACES}), TOO_MUCH),
    "an ODS that repeats a cell and its line a million times": (
        lambda: rows_of_ods(line_of(cell_of("x" * 5000, 100), 10_000)), TOO_MUCH,
    ),
    "an XLSX that says to have every line and column": (
        lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": SHEET1.replace("A1:J6", "A1:XFD1048576")}), "",
    ),
    "an XLSX with a value in the last line of all": (lambda: rows_of_xlsx(row_of("J1048576", "1")), workbooks.TOO_LONG),
    "an archive that unpacks to ten times what it may": (
        lambda: repacked(GOOD_XLSX, {"xl/worksheets/sheet1.xml": b" " * 300_000_000}), workbooks.UNPACKED,
    ),
    "entities of entities in an ODS": (
        lambda: repacked(GOOD_ODS, {"content.xml": CONTENT.replace("<office:doc", f"{ENTITIES}]><office:doc", 1)}), cells.BROKEN,
    ),
    "entities of entities in the names of sheets": (
        lambda: repacked(GOOD_XLSX, {"xl/workbook.xml": f"<?xml version='1.0'?>{ENTITIES}]><workbook>&j;</workbook>"}), cells.BROKEN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_one_sentence_soon_and_the_parent_does_not_grow(kind: str) -> None:
    made, sentence = BOMBS[kind]
    content = made()
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    told = ""
    try:
        child.answered(READER, content, ".ods", too_much=TOO_MUCH)
    except Invalid as refused:
        (told,) = refused.sentences
    assert told == sentence
    assert time.monotonic() - began < 15
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_the_bomb_is_no_bigger_than_a_short_letter() -> None:
    assert len(small_ods()) < 1000


# A child that misbehaves in each way there is.

WAYS: dict[str, tuple[str, str]] = {
    "answers": ("return [1, 'é', None]", "[1, 'é', None]"),
    "tells": ("from flows.ports.child import Untold\nraise Untold('Non.')", "Non."),
    "raises": ("raise KeyError('secret')", TOO_MUCH),
    "ends": ("raise SystemExit(3)", TOO_MUCH),
    "is killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", TOO_MUCH),
    "aborts": ("import os\nos.abort()", TOO_MUCH),
    "takes memory": ("return len(bytearray(2_000_000_000))", TOO_MUCH),
    "takes memory by slices": ("kept = []\nwhile True: kept.append(bytearray(1_000_000))", TOO_MUCH),
    "takes memory that it only maps": ("import mmap\nreturn len(mmap.mmap(-1, 3_000_000_000))", TOO_MUCH),
    "writes a file": ("with open(__file__ + '.txt', 'w') as file: file.write('x')", TOO_MUCH),
    "starts another": (
        "import subprocess\nsubprocess.run(['true'] , check=True)\nreturn 'started'",
        "started" if os.getuid() == 0 else TOO_MUCH,
    ),
    "says too much": ("return 'x' * 10_000_001", TOO_MUCH),
    "says what JSON cannot": ("return object()", TOO_MUCH),
    "says what is no text": (r"return '\ud800'", TOO_MUCH),
    "writes without end": ("import sys\nwhile True: sys.stdout.write('x' * 1_000_000)", TOO_MUCH),
    "knows nothing of its parent": ("import os\nreturn sorted(name for name in os.environ if 'JALON' in name or 'SECRET' in name)", "[]"),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_child_does_is_values_or_one_sentence(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], str], way: str) -> None:
    monkeypatch.setenv("JALON_SECRET", "secret")
    body, sentence = WAYS[way]
    assert answered(reader(body), b"x" * 1_000_000) == sentence


@pytest.mark.parametrize("body", ["while True: pass", "return sum(range(10**12))"])
def test_a_child_that_only_works_is_stopped(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], str], body: str) -> None:
    name = reader(f"import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n{body}")
    assert answered(name) == TOO_MUCH


@pytest.mark.parametrize("content", [b"", b"x" * 9_000_000])
def test_a_child_that_only_waits_is_stopped(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], str], content: bytes) -> None:
    monkeypatch.setattr(child, "WALL_SECONDS", 1)
    began = time.monotonic()
    assert answered(reader("import time\ntime.sleep(60)"), content) == TOO_MUCH
    assert time.monotonic() - began < 10


def test_a_child_that_never_reads_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "WALL_SECONDS", 1)
    monkeypatch.setattr(child, "START", "import time; time.sleep(60)")
    assert answered(READER, b"x" * 9_000_000) == TOO_MUCH


def test_a_machine_that_starts_no_child_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/absent/python")
    with pytest.raises(Unreachable, match="réessayez"):
        child.answered(READER, b"", ".csv", too_much=TOO_MUCH)


def test_an_interruption_leaves_no_child(reader: Callable[[str], str]) -> None:
    name, before, began = reader("import time\ntime.sleep(60)"), signal.signal(signal.SIGINT, signal.default_int_handler), time.monotonic()
    signals = Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    signals.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            child.answered(name, b"", too_much=TOO_MUCH)
    finally:
        signals.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 10


def test_limits_that_a_system_does_not_know_leave_the_others(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], str]) -> None:
    """As macOS, which counts no addresses: processor time and wall time hold."""
    without = "import resource; del resource.RLIMIT_NPROC; real = resource.setrlimit; "
    without += "resource.setrlimit = lambda which, most: int('none') if which == resource.RLIMIT_AS else real(which, most); "
    monkeypatch.setattr(child, "START", without + child.START)
    assert answered(reader("import resource\nreturn resource.getrlimit(resource.RLIMIT_CPU)[0]")) == str(child.CPU_SECONDS)


def test_two_children_at_once_do_not_mix() -> None:
    from concurrent.futures import ThreadPoolExecutor

    made = {".csv": as_csv(";", "utf-8"), ".xlsx": as_xlsx, ".ods": as_ods}
    with ThreadPoolExecutor(4) as pool:
        told = list(
            pool.map(lambda suffix: child.answered(READER, made[suffix]([HEADERS, *TABLE]), suffix, too_much=TOO_MUCH), [*made] * 2)
        )
    assert [grid[0]["lines"][0] for grid in told] == [HEADERS] * 6
