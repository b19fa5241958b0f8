"""A table that does not hold together stops the start with one sentence; one that does needs nothing else to be told."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from edited import copied, python

import states
from states.board.facts import Matter
from states.board.requests import Deliberation
from states.grammar.deadlines import Within
from states.grammar.definition import assert_sound
from states.grammar.guard import Needs, guard
from states.grammar.step import Step
from states.journal.kinds import KINDS
from states.lifecycle import OF_EVERY_STEP, ROWS, STEPS
from states.trainees.facts import Identity
from states.training.requests import CommitteeHeld
from states.vocabulary import State, UnsoundTable

LIFECYCLE, VOCABULARY = "states/lifecycle.py", "states/vocabulary.py"
PAID = '    PAID = "paid", "payé", Convention.ACTED, Course.DONE, Money.PAID\n'
LOST = PAID + '    LOST = "lost", "perdu", Convention.ACTED, Course.DONE, Money.PAID\n'
CLOSE = '    Step("close", "Clore le dossier", source=(S.PAID,), dest=S.CLOSED, by=(TRAINING,), within=Within(30),\n'
LOSE = '    Step("lose", "Perdre", source=(S.PAID,), dest=S.LOST, by=(TRAINING,), asks=dossier_requests.Closing),\n'
FIND = '    Step("find", "Retrouver", source=(S.LOST,), dest=S.PAID, by=(TRAINING,), asks=dossier_requests.Closing),\n'
TWICE = '    Step("pay", "Payer encore", source=(S.ORDERED,), dest=S.PAID, by=(TRAINING,), asks=dossier_requests.Closing),\n'
BAD = {
    "nobody comes there": ([(VOCABULARY, PAID, LOST)], "L’état 'lost' n’est jamais atteint."),
    "nobody leaves": (
        [(VOCABULARY, PAID, LOST), (LIFECYCLE, CLOSE, LOSE + CLOSE)],
        "L’état 'lost' est une impasse : aucune étape n’en sort.",
    ),
    "nobody is told by when": (
        [(VOCABULARY, PAID, LOST), (LIFECYCLE, CLOSE, LOSE + FIND + CLOSE)],
        "L’état 'lost' attend quelqu’un, et aucune étape qui en sort n’a d’échéance.",
    ),
    "two rows for one trigger": (
        [(LIFECYCLE, CLOSE, TWICE + CLOSE)],
        "Deux lignes portent l’étape 'pay' : une étape n’a qu’une ligne, avec tous ses états de départ.",
    ),
    "a state has the value of another": (
        [(VOCABULARY, PAID, PAID + '    LOST = "paid", "perdu", Convention.ACTED, Course.DONE, Money.PAID\n')],
        "Les états PAID et LOST ont la même valeur, 'paid'.",
    ),
    "a state has a value with a space": (
        [(VOCABULARY, PAID, LOST.replace('"lost"', '"lost for good"'))],
        "L’état 'lost for good' : sa valeur s’écrit en minuscules sans accent, chiffres et « _ » (in_training).",
    ),
    "a state has no label": ([(VOCABULARY, PAID, LOST.replace("perdu", " "))], "L’état 'lost' n’a pas de libellé."),
    "a role has the value of another": (
        [(VOCABULARY, '    CLOCK = "clock"\n', '    CLOCK = "clock"\n    JUDGE = "clock"\n')],
        "Les rôles CLOCK et JUDGE ont la même valeur, 'clock'.",
    ),
    "a role has no label": (
        [(VOCABULARY, '    CLOCK = "clock"\n', '    CLOCK = "clock"\n    JUDGE = "judge"\n')],
        "Le rôle 'judge' n’a pas de libellé (ROLE_LABELS).",
    ),
    "a state declares nothing": (
        [(VOCABULARY, PAID, PAID + '    LOST = "lost"\n')],
        "L’état 'lost' ne déclare pas son libellé, et où en sont sa convention, sa formation et son argent.",
    ),
    "a final state is left": (
        [(LIFECYCLE, CLOSE, LOSE.replace("S.PAID", "S.CLOSED").replace("S.LOST", "S.PAID") + CLOSE)],
        "L’état 'closed' est final, et l’étape 'lose' en sort.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_table_that_does_not_hold_together_stops_the_start_and_says_why(tmp_path: Path, case: str) -> None:
    edits, sentence = BAD[case]
    folder = copied(tmp_path / "copy", *edits)
    started = python(folder, "-m", "flows", "diagram")
    assert (started.returncode, started.stdout) == (1, "")
    assert started.stderr.splitlines() == [f"jalon ne démarre pas. {sentence}"]
    loaded = python(folder, "-c", "import states.lifecycle")
    assert loaded.stderr.splitlines()[-1] == f"states.vocabulary.UnsoundTable: {sentence}"


# A recording that keeps a new kind of fact, and where else it has to be told.
PARTNERSHIP, KINDS_FILE = "states/partnership.py", "states/journal/kinds.py"
HELD = (
    "    delegations: tuple[Delegation, ...] = ()\n",
    "    delegations: tuple[Delegation, ...] = ()\n    absences: tuple[Committee, ...] = ()\n",
)
NAMED = ('    "delegations": "délégation",\n', '    "delegations": "délégation",\n    "absences": "absence",\n')
UNTOLD = {
    "no noun": ([(PARTNERSHIP, *HELD)], "La sorte de fait 'absences' n’a pas de nom en français (NOUNS, states/journal/kinds.py)."),
    "no table": (
        [(PARTNERSHIP, *HELD), (KINDS_FILE, *NAMED)],
        "La sorte de fait 'absences' n’a pas de table (models/tables/dossier.py, et une migration).",
    ),
    "no column": (
        [("states/training/facts.py", "    minutes_sha256: str\n", "    minutes_sha256: str\n    place: str | None\n")],
        "La table 'committees' n’a pas de colonne 'place' pour ce que le fait garde (et une migration).",
    ),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_a_fact_that_is_not_told_wherever_it_must_be_stops_the_start(tmp_path: Path, case: str) -> None:
    edits, sentence = UNTOLD[case]
    started = python(copied(tmp_path / "copy", *edits), "-m", "flows", "list")
    assert (started.returncode, started.stdout, started.stderr) == (1, "", f"jalon ne démarre pas. {sentence}\n")


def test_every_numbered_fact_of_a_room_is_held_by_a_dossier() -> None:
    """When this fails: a class of `states/<room>/facts.py` has no collection in `Partnership` (states/partnership.py)."""
    rooms = [import_module(f"states.{path.parent.name}.facts") for path in Path(states.__file__).parent.glob("*/facts.py")]
    numbered = {
        kind for room in rooms for kind in vars(room).values() if isinstance(kind, type) and "number" in getattr(kind, "_fields", ())
    }
    forgotten = sorted(kind.__name__ for kind in numbered - {*KINDS.values(), Identity})
    assert forgotten == [], "no collection of Partnership holds these: states/partnership.py"


ADDED = '    Step("{}", "Lister", source=(S.PAID,), by=(TRAINING,), asks=dossier_requests.Closing),\n'


@pytest.mark.parametrize("trigger", ["list", "init_db", "people"])
def test_a_step_that_bears_the_name_of_another_command_stops_the_start(tmp_path: Path, trigger: str) -> None:
    folder = copied(tmp_path / "copy", (LIFECYCLE, CLOSE, ADDED.format(trigger) + CLOSE))
    started = python(folder, "-m", "flows", "diagram")
    assert (started.returncode, started.stdout) == (1, "")
    assert started.stderr == f"jalon ne démarre pas. L’étape '{trigger}' porte le nom d’une autre commande de jalon.\n"


def test_what_only_reads_stops_on_an_unsound_table_as_every_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the table was found sound before it was edited; and no more is loaded for it once it was."""
    folder = copied(tmp_path / "copy")
    monkeypatch.setenv("JALON_HOME", str(tmp_path / "home"))
    assert python(folder, "-m", "flows", "init-db").returncode == 0
    first, again = python(folder, "-m", "flows", "list"), python(folder, "-c", LISTS)
    assert (first.returncode, first.stdout) == (0, "Aucun dossier.\n")
    assert again.stdout == "Aucun dossier.\nFalse\n"
    table = folder / LIFECYCLE
    table.write_text(table.read_text(encoding="utf-8").replace(CLOSE, TWICE + CLOSE), encoding="utf-8")
    for words in (["list"], ["list", "--json"], ["show", "X"], ["people", "list"], ["--help"]):
        stopped = python(folder, "-m", "flows", *words)
        assert (stopped.returncode, stopped.stdout) == (1, "")
        assert stopped.stderr.startswith("jalon ne démarre pas. Deux lignes portent l’étape 'pay'")


LISTS = "import sys; from flows.cli.command import run; run(['list']); print('states.lifecycle' in sys.modules)"


@guard("MOTIVE_REQUIRED", needs=Needs.DOSSIER)
def another_rule_of_that_code(_case: object) -> None:
    """Rien."""


def but(trigger: str, **columns: object) -> list[Step]:
    """The table, with other columns in one row."""
    return [row._replace(**columns) if row.trigger == trigger else row for row in ROWS]


def odd(field: str) -> type[CommitteeHeld]:
    """A request that is dated by another field."""
    return type("Odd", (CommitteeHeld,), {"dated_by": field, "__module__": __name__})


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            (*ROWS, STEPS["pay"]._replace(trigger="settle")),
            "Deux lignes portent l’étape 'settle' : une étape n’a qu’une ligne, avec tous ses états de départ.",
        ),
        *(
            (
                (*ROWS, STEPS["pay"]._replace(trigger=trigger)),
                f"L’étape '{trigger}' : un nom d’étape s’écrit en minuscules sans accent, chiffres et « _ » (start_training).",
            )
            for trigger in ("pay again", "Pay", "payé", "")
        ),
        (but("pay", label=" "), "L’étape 'pay' n’a pas de libellé."),
        (
            but("pay", source=(State.ORDERED, State.PAID)),
            "L’étape 'pay' part de l’état 'paid' et y mène : une étape qui laisse l’état n’a pas de 'dest'.",
        ),
        (but("pay", within=Within(-30)), "L’étape 'pay' est attendue -30 jours après : une échéance ne se compte pas à rebours."),
        *(
            (
                but("hold_committee", asks=asks),
                f"L’étape 'hold_committee' est datée par '{field}', qui n’est pas une date de sa demande (Odd).",
            )
            for field, asks in (("seen_on", odd("seen_on")), ("minutes_sha256", odd("minutes_sha256")))
        ),
        ((*ROWS, STEPS["pay"]._replace(trigger="pay_again", by=())), "L’étape 'pay_again' n’a pas de rôle."),
        ((*ROWS, STEPS["pay"]._replace(trigger="pay_again", source=())), "L’étape 'pay_again' n’a pas d’état de départ."),
        ([row for row in ROWS if not row.reviews], "Une étape et une seule revoit les constats ; ici : aucune."),
        ((*ROWS, STEPS["undo"]._replace(trigger="redo")), "Une étape et une seule annule une entrée ; ici : undo, redo."),
        (
            (*ROWS, STEPS["pay"]._replace(trigger="begin", source=(State.UNOPENED,))),
            "L’étape 'begin' part de 'unopened' sans ouvrir de dossier, ou en ouvre un d’ailleurs.",
        ),
        (
            (*ROWS, STEPS["attach"]._replace(trigger="join", guards=(another_rule_of_that_code,))),
            "Deux règles portent le code 'MOTIVE_REQUIRED'.",
        ),
        (but("close", dest=State.ORDERED), "Depuis l’état 'settled', aucune suite d’étapes ne mène à une fin."),
        (
            but("order_payment", commits_money=False),
            "L’étape 'order_payment' mène à un état dont l’argent est mandaté sans dire qu’elle l’engage, ou le dit sans y mener.",
        ),
        (
            but("settle", commits_money=True),
            "L’étape 'settle' mène à un état dont l’argent est mandaté sans dire qu’elle l’engage, ou le dit sans y mener.",
        ),
        *(
            (
                but(trigger, deliberates=matter),
                f"L’étape '{trigger}' demande une délibération sans dire ce qu’elle décide, ou le dit sans en demander.",
            )
            for trigger, matter in (("terminate", None), ("amend", None), ("sign", Matter.APPROVAL))
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_named(rows: list, sentence: str) -> None:
    with pytest.raises(UnsoundTable) as fault:
        assert_sound(rows, OF_EVERY_STEP, Deliberation)
    assert str(fault.value) == sentence
