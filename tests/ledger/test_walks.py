"""Random walks on the real ledger, next to a small model that knows the law by heart and nothing of the code."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from drawing import draws
from enlisting import enlist
from hypothesis import event, given
from hypothesis import strategies as st
from walks import RIGHT, Walk
from witness import fresh

from models.answers import Done
from models.database.store import Store
from models.people.register import Register
from models.verify.proof import Verifier
from states.partnership import Partnership
from states.vocabulary import Role

RATE, CAP = 2000, 2
THE_DAY = "2026-06-30"  # of every step about money, so that none precedes another
references = itertools.count(1)

# What each person may do, and from where to where: written down from the convention, not from the program's table.
TRAINING, BOARD, FINANCE, ORDERING, ACCOUNTS = "Tania", "Bruno", "Farida", "Omar", "Paola"
EVERYTHING = "Pierre"  # holds the three roles of the money: one man's word is never enough
SELECTION = {"approved", "signed", "acted", "in_training"}
WITH_AN_ACT = SELECTION | {"trained", "invoiced", "invoice_suspended", "settled", "ordered", "paid", "closed", "rejected", "terminated"}
OPEN_MONEY = {"trained", "invoiced", "invoice_suspended", "settled", "ordered", "paid"}
LAW: dict[str, tuple[set[str], str | None, set[str]]] = {
    "approve": ({"proposed"}, "approved", {BOARD}),
    "transmit_act": (WITH_AN_ACT, None, {BOARD}),
    "publish_act": (WITH_AN_ACT, None, {BOARD}),
    "reject": ({"proposed"}, "rejected", {BOARD}),
    "sign": ({"approved"}, "signed", {TRAINING}),
    "act": ({"signed"}, "acted", {BOARD}),
    "start_training": ({"acted"}, "in_training", {TRAINING}),
    "complete_training": ({"in_training"}, "trained", {TRAINING}),
    "receive_invoice": ({"trained"}, "invoiced", {FINANCE, EVERYTHING}),
    "reject_invoice": ({"invoiced", "invoice_suspended"}, "trained", {FINANCE, EVERYTHING}),
    "suspend_invoice": ({"invoiced"}, "invoice_suspended", {FINANCE, EVERYTHING}),
    "resume_invoice": ({"invoice_suspended"}, "invoiced", {FINANCE, EVERYTHING}),
    "settle": ({"invoiced"}, "settled", {FINANCE, EVERYTHING}),
    "order_payment": ({"settled"}, "ordered", {ORDERING, EVERYTHING}),
    "refuse_payment": ({"ordered"}, "settled", {ACCOUNTS, EVERYTHING}),
    "pay": ({"ordered"}, "paid", {ACCOUNTS, EVERYTHING}),
    "close": ({"paid"}, "closed", {TRAINING}),
    "close_nil": ({"trained"}, "closed", {TRAINING}),
    "terminate": (SELECTION, "terminated", {BOARD}),
    "retain_trainee": (SELECTION, None, {TRAINING}),
    "verify_residence": (SELECTION | {"trained", "invoiced", "invoice_suspended"}, None, {TRAINING}),
    "hold_committee": ({"acted", "in_training"} | OPEN_MONEY, None, {TRAINING}),
    "present_result": (OPEN_MONEY, None, {TRAINING, FINANCE, EVERYTHING}),
}
ONWARD = {
    "proposed": "approve", "approved": "sign", "signed": "act", "acted": "start_training", "in_training": "complete_training",
    "invoice_suspended": "resume_invoice", "settled": "order_payment", "ordered": "pay", "paid": "close",
}  # fmt: skip
DATED = {"reject_invoice": "decided_on", "suspend_invoice": "decided_on", "refuse_payment": "decided_on", "resume_invoice": "resumed_on",
         "settle": "certified_on", "order_payment": "ordered_on", "pay": "paid_on", "close": "closed_on", "close_nil": "closed_on",
         "receive_invoice": "received_on"}  # fmt: skip


Asked = dict[str, Any]


@dataclass
class Trainee:
    name: int
    rank: int
    home: str | None = None  # the department, once it is verified


@dataclass
class Model:
    """A dossier as a person would keep it on paper. Amounts are whole euros."""

    state: str = "proposed"
    transmitted: set[int] = field(default_factory=set)  # which deliberation, the first or the second
    published: set[int] = field(default_factory=set)
    acts: int = 0
    trainees: list[Trainee] = field(default_factory=list)
    presented: bool = False
    invoiced: int = 0
    settled: int | None = None
    ordered: int | None = None
    paid: int | None = None
    hands: list[str] = field(default_factory=list)  # who certified, ordered and paid

    @property
    def eligible(self) -> list[Trainee]:
        return sorted((one for one in self.trainees if one.home == "62"), key=lambda one: one.rank)

    @property
    def due(self) -> int:
        return RATE * min(len(self.eligible), CAP)

    @property
    def relied_on(self) -> bool:
        """Whether a payment was ordered on the second deliberation, executory by then."""
        return self.ordered is not None and 2 in self.transmitted & self.published

    def acts_done(self, *triggers: str) -> bool:
        """Whether the last deliberation was transmitted and published."""
        places = {"transmit_act": self.transmitted, "publish_act": self.published}
        return all(self.acts in places[trigger] for trigger in triggers)

    def onward(self, asked: Asked) -> tuple[str, Asked]:
        """What somebody who wants the dossier closed would ask next."""
        unverified = next((number for number, one in enumerate(self.trainees, start=1) if one.home is None), None)
        lacking = self.state in ("approved", "settled") and not self.acts_done("transmit_act", "publish_act")
        if lacking:
            return ("publish_act" if self.acts in self.transmitted else "transmit_act"), asked
        if self.state == "acted" and not self.trainees:
            return "retain_trainee", asked
        if self.state in ("trained", "invoiced") and unverified:
            return "verify_residence", asked | {"trainee": unverified}
        return self.onward_with_money(asked)

    def onward_with_money(self, asked: Asked) -> tuple[str, Asked]:
        if self.state == "trained" and self.presented:
            return ("receive_invoice", asked | {"amount": min(asked["amount"] or self.due, self.due)}) if self.due else ("close_nil", asked)
        if self.state == "trained":
            return "present_result", asked
        if self.state == "invoiced":
            return ("settle" if self.invoiced <= self.due else "reject_invoice"), asked
        return ONWARD.get(self.state, "close"), asked | ({"amount": self.ordered} if self.state == "ordered" else {})

    def allows(self, trigger: str, actor: str, asked: Asked) -> bool:
        sources, _, people = LAW[trigger]
        return self.state in sources and actor in people and self._demands(trigger, actor, asked)

    def _demands(self, trigger: str, actor: str, asked: Asked) -> bool:
        all_verified = all(one.home for one in self.trainees)
        ranks = [one.rank for one in self.eligible]
        tied = len(ranks) > CAP and ranks[CAP - 1] == ranks[CAP]
        demands = {
            "retain_trainee": lambda: asked["name"] not in {one.name for one in self.trainees},
            "verify_residence": lambda: asked["trainee"] <= len(self.trainees),
            "start_training": lambda: bool(self.trainees),
            "receive_invoice": lambda: 0 < asked["amount"] <= self.due,
            "settle": lambda: all_verified and self.presented and not tied and self.invoiced <= self.due,
            # The days on which this walk transmits and publishes precede the session that terminates.
            "transmit_act": lambda: self.state != "terminated" and not self.relied_on,
            "publish_act": lambda: self.state != "terminated" and not self.relied_on,
            "sign": lambda: 1 in self.transmitted & self.published,
            "order_payment": lambda: actor not in self.hands and 2 in self.transmitted & self.published,
            "pay": lambda: actor not in self.hands and asked["amount"] == self.ordered,
            "close_nil": lambda: all_verified and self.due == 0,
        }
        return demands.get(trigger, lambda: True)()

    def does(self, trigger: str, actor: str, asked: Asked) -> None:
        if trigger == "retain_trainee":
            self.trainees.append(Trainee(asked["name"], asked["rank"]))
        elif trigger == "verify_residence":
            known = self.trainees[asked["trainee"] - 1]
            known.home = known.home or asked["home"]  # seen elsewhere afterwards, one has moved: the first residence stays
        elif trigger == "present_result":
            self.presented = True
        elif trigger == "receive_invoice":
            self.invoiced = asked["amount"]
        elif trigger == "settle":
            self.settled, self.hands = min(self.invoiced, self.due), [actor]
        elif trigger == "order_payment":
            self.ordered, self.hands = self.settled, [*self.hands, actor]
        elif trigger == "refuse_payment":
            self.ordered, self.hands = None, self.hands[:1]
        elif trigger == "pay":
            self.paid, self.hands = asked["amount"], [*self.hands, actor]
        self.does_as_the_board(trigger)
        self.state = LAW[trigger][1] or self.state

    def does_as_the_board(self, trigger: str) -> None:
        self.acts += trigger in ("approve", "act", "reject", "terminate")
        if trigger == "transmit_act":
            self.transmitted.add(self.acts)
        elif trigger == "publish_act":
            self.published.add(self.acts)


some_asked = st.fixed_dictionaries(
    {
        "name": st.integers(1, 6),
        "rank": st.integers(1, 3),
        "trainee": st.integers(1, 4),
        "home": st.sampled_from(["62", "62", "62", "59"]),
        "amount": st.sampled_from([0, 1999, 2000, 2000, 4000, 4000, 6000]),
    }
)
triggers = st.sampled_from(["onward"] * 20 + ["retain_trainee", "verify_residence"] * 2 + sorted(LAW))
actors = st.sampled_from([None] * 18 + [TRAINING, BOARD, FINANCE, ORDERING, ACCOUNTS, EVERYTHING])


def changes_of(trigger: str, asked: Asked, reference: str, step: int) -> dict[str, Any]:
    """The request that says what `asked` says."""
    changes: dict[str, Any] = {DATED[trigger]: THE_DAY} if trigger in DATED else {}
    if trigger == "retain_trainee":
        changes |= {"given_name": f"Zoé {asked['name']}", "rank": asked["rank"]}
    elif trigger == "verify_residence":
        changes |= {"trainee": asked["trainee"], "insee": f"{asked['home']}119"}
    elif trigger in ("receive_invoice", "pay"):
        changes |= {"amount": f"{asked['amount']}.00"}
    if trigger == "receive_invoice":
        changes |= {"number": f"{reference}-{step}", "document_sha256": f"{reference}{step}".encode().hex().ljust(64, "0")}
    return changes


def money_holds(partnership: Partnership, model: Model) -> None:
    for one in partnership.settlements:
        paid, ordered = one.paid or Decimal(0), one.ordered or Decimal(0)
        assert paid <= ordered <= one.settled <= min(one.invoiced, one.entitlement) <= CAP * RATE
        hands = [one.certified_by, one.ordered_by, one.paid_by]
        assert [hand for hand in hands if hand] == model.hands
        assert len(set(model.hands)) == len(model.hands)
    chain = [(one.settled, one.ordered, one.paid) for one in partnership.settlements]
    assert chain == ([(model.settled, model.ordered, model.paid)] if model.settled is not None else [])


@draws(60)
@given(steps=st.lists(st.tuples(triggers, actors, some_asked), min_size=20, max_size=50))
def test_the_ledger_and_the_model_agree_after_every_step_of_a_random_walk(
    sqlite: Store, steps: list[tuple[str, str | None, Asked]]
) -> None:
    walk, model = Walk(sqlite, f"ESSAI-{next(references)}"), Model()
    register = Register(sqlite)
    if EVERYTHING not in {person.name for person in register.everyone()}:
        enlist(sqlite, EVERYTHING, "pierre@essai.example", [Role.FINANCE_OFFICER, Role.AUTHORISING_OFFICER, Role.PUBLIC_ACCOUNTANT])
    walk.do("open", terms=RIGHT["open"]["terms"] | {"rate": f"{RATE}.00", "cap": CAP})
    before = fresh(walk)
    for number, (drawn, drawn_actor, given_asked) in enumerate(steps):
        trigger, asked = model.onward(given_asked) if drawn == "onward" else (drawn, given_asked)
        actor = drawn_actor or min(LAW[trigger][2] - {EVERYTHING})
        conditions = {"conditions": RIGHT["act"]["conditions"] | {"cap": CAP}} if trigger == "act" else {}
        answer = walk.ask(trigger, actor=actor, **conditions, **changes_of(trigger, asked, walk.reference, number))
        after = fresh(walk)
        assert isinstance(answer, Done) == model.allows(trigger, actor, asked), (trigger, actor, answer)
        if isinstance(answer, Done):
            model.does(trigger, actor, asked)
        else:
            assert after.partnership == before.partnership
        assert after.n == before.n + 1
        assert after.partnership.state == model.state
        assert len(after.partnership.trainees) == len(model.trainees)
        money_holds(after.partnership, model)
        before = after
    event(model.state)
    assert Verifier(sqlite).verify(walk.reference).faults == ()
