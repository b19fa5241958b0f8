"""How a test takes a step back, and what it compares then."""

from __future__ import annotations

from typing import Any

from walks import PEOPLE, Walk
from witness import fresh, journal

from models.answers import Done
from models.ledger.reading import parsed
from models.verify.proof import Verifier
from states.grammar.guard import Refused
from states.journal.entry import Entry
from states.journal.fold import folded
from states.lifecycle import STEPS
from states.partnership import Partnership
from states.vocabulary import Role, State

OMAR = PEOPLE[Role.AUTHORISING_OFFICER]


def facts(partnership: Partnership) -> dict[str, Any]:
    """Every field but the count of changes; findings and digests of people have no order."""
    unordered = {name: frozenset(getattr(partnership, name)) for name in ("findings", "identity_digests")}
    return {**partnership._asdict(), **unordered, "version": None}


def undo(walk: Walk, **how: Any) -> Done:
    """The authorising officer takes the last step back."""
    before = len(fresh(walk).partnership.acts)
    done = walk.do("undo", **{"actor": OMAR} | how)
    walk.acts -= before - len(fresh(walk).partnership.acts)
    return done


def codes(answer: Any) -> list[str]:
    assert isinstance(answer, Refused), answer
    return [reason.code for reason in answer.reasons]


def told(walk: Walk) -> list[Entry]:
    return [parsed(entry) for _, entry, _ in journal(walk.store, walk.reference)]


def holds(walk: Walk) -> None:
    """The proof holds, and the journal tells the facts that the rows hold."""
    assert Verifier(walk.store).verify(walk.reference).faults == ()
    kept = facts(fresh(walk).partnership)
    retold = facts(folded(walk.reference, told(walk)))
    assert {**kept, "pepper": "", "identity_digests": ()} == {**retold, "pepper": "", "identity_digests": ()}


# A random walk, next to the simplest model of an undo: a stack of the dossiers that there were.


def onward(partnership: Partnership) -> str:
    """What somebody who wants the money ordered would do next."""
    act, training = partnership.acts[-1] if partnership.acts else None, partnership.training
    unverified = [one for one in partnership.trainees if one.verified_on is None]
    lacking = act is not None and act.executory_on is None
    if partnership.state in (State.APPROVED, State.SETTLED) and lacking and act is not None:
        return "transmit_act" if act.transmitted_on is None else "publish_act"
    if partnership.state is State.ACTED and not partnership.trainees:
        return "retain_trainee"
    if partnership.state is State.TRAINED and (unverified or training is None or training.presented_on is None):
        return "verify_residence" if unverified else "present_result"
    return {
        State.PROPOSED: "approve", State.APPROVED: "sign", State.SIGNED: "act", State.ACTED: "start_training",
        State.IN_TRAINING: "complete_training", State.TRAINED: "receive_invoice", State.INVOICED: "settle",
        State.INVOICE_SUSPENDED: "resume_invoice", State.SETTLED: "order_payment",
    }.get(partnership.state, "attach")  # fmt: skip


DRAWN = ["onward"] * 30 + ["undo"] * 12 + [one for one in STEPS if one not in ("undo", "open", "reject", "terminate")]
