"""Many take back the same entry at once: one undo, and the others learn who did it."""

from __future__ import annotations

import itertools
from contextlib import ExitStack

import pytest
from taking_back import holds
from walks import Walk
from witness import child, fresh, journal

from models.database.store import Store
from states.vocabulary import State

references = itertools.count(1)

RACE = """
import sys
from walks import Walk
from models.database.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    reference, entry, key = line.split()
    answer = Walk(store, reference).ask("undo", actor="Omar", entry=int(entry), key=key)
    print(type(answer).__name__, getattr(answer, "n", answer.sentence if hasattr(answer, "sentence") else ""), flush=True)
"""


@pytest.mark.parametrize("crowds", [(3,), pytest.param((8, 32), marks=pytest.mark.endurance)], ids=str)
@pytest.mark.long
def test_of_many_simultaneous_undos_of_one_entry_one_is_done_and_the_others_learn_who_did_it(store: Store, crowds: tuple[int, ...]) -> None:
    """So many processes, with the same key and with different ones; the entries before it stay."""
    url = store.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        racers = [stack.enter_context(child(RACE, url)) for _ in range(max(crowds))]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * max(crowds)
        for many, same in itertools.product(crowds, (False, True)):
            walk = Walk(store, f"ESSAI-{next(references)}").until(State.APPROVED)
            walk.do("attach")
            n = walk.do("attach").n
            for number, racer in enumerate(racers[:many]):
                key = f"{walk.reference}-{'same' if same else number}"
                racer.stdin.write(f"{walk.reference} {n} {key}\n")
                racer.stdin.flush()
            answers = [racer.stdout.readline().split(maxsplit=1) for racer in racers[:many]]
            done = [rest.strip() for kind, rest in answers if kind == "Done"]
            if same:
                assert done == [str(n + 1)] * many  # one answer, given to all
            else:
                assert len(done) == 1
                assert all("a déjà été annulée par Omar" in rest for kind, rest in answers if kind == "Conflict")
                assert [kind for kind, _ in answers].count("Conflict") == many - 1
            kept = fresh(walk).partnership
            assert [one.number for one in kept.documents] == [1]
            undoes = [entry for _, entry, _ in journal(store, walk.reference) if '"undoes"' in entry]
            assert len(undoes) == 1
            holds(walk)
