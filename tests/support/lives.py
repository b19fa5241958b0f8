"""Whole lives of dossiers, as data: what the golden files of `tests/golden` were written from.

A golden file is written once, under the law of its day, and never again; these scenes only write those of the law in force.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable
from typing import Any, NamedTuple

import cigognes
from walks import AGAINST, RIGHT, VOTE

from flows.demo import story
from states.lifecycle import STEPS
from states.vocabulary import Role

EVERYTHING = "CDG-TOUT-2025"
PEOPLE = {
    Role.TRAINING_OFFICER: "Thaïs",
    Role.BOARD_SECRETARY: "Basile",
    Role.FINANCE_OFFICER: "Fanny",
    Role.AUTHORISING_OFFICER: "Ornella",
    Role.PUBLIC_ACCOUNTANT: "Pablo",
    Role.OPERATOR: "Oscar",
}
SECOND_OFFICER = "Tancrède"  # another training officer, who is finance officer too
SECRETS = {name: b32encode(name.encode().ljust(20)[:20]).decode() for name in (*PEOPLE.values(), SECOND_OFFICER)}


class Life(NamedTuple):
    """One scene of a life: who asks what, and how it ends (`codes` of a refusal, none when done; "conflict").

    `entry` in a request that is below zero counts back from the entry that is about to be written. `role` picks who acts
    where `person` does not; `coded` shows a one-time code.
    """

    trigger: str
    request: dict[str, Any]
    person: str = ""
    ends: tuple[str, ...] = ()
    key: str = ""
    coded: str = ""
    seen: int | None = None


def done(trigger: str, person: str = "", **changes: Any) -> Life:
    return Life(trigger, RIGHT[trigger] | changes, person)


def refused(trigger: str, *codes: str, person: str = "", **changes: Any) -> Life:
    return Life(trigger, RIGHT[trigger] | changes, person, codes)


def undone(back: int, person: str = "Ornella", *codes: str) -> Life:
    """The entry that stands so many entries before is taken back."""
    return Life("undo", {"motive": "Saisie par erreur", "decided_on": "2026-11-23", "entry": -back}, person, codes)


TERMS = RIGHT["open"]["terms"] | {
    "fees": {"continuing": "1500.00", "initial": "900.00"},
    "payee_cooling_days": 0,
    "quorum_verified": False,
}
OPENED = RIGHT["open"] | {"terms": TERMS}
BY_NAME = {"insee": None, "commune": "Béthune", "number": 5, "family_name": "Lefèvre", "rank": 4}
RETAINED = RIGHT["retain_trainees"]["trainees"]
WITH_ALTERNATE = VOTE | {
    "item": 2,
    "absent": VOTE["absent"],
    "present": [*VOTE["present"][:16], "Suppléante 1"],
    "alternates": [{"name": "Suppléante 1", "sits_for": "Membre 17"}],
    "movements": [{"name": "Membre 20", "moves": "arrives", "before_item": 2}],
    "proxies": [{"giver": "Membre 21", "holder": "Membre 1"}],
    "agenda": [
        {"number": 1, "title": "Approbation du procès-verbal", "votes_for": 17},
        {"number": 2, "title": "Partenariat", "votes_for": 18, "votes_against": 1},
    ],
    "chair": "Membre 1",
    "secretary": "Suppléante 1",
}
WITH_ALTERNATE = {name: value for name, value in WITH_ALTERNATE.items() if name not in ("votes_for", "votes_against", "abstentions")}

# Every step of the table that can stand in one life, refused and undone ones among them.
ALL: tuple[Life, ...] = (
    Life("open", OPENED | {"reference": EVERYTHING}),
    refused("approve", "NO_QUORUM", present=VOTE["present"][:5], votes_for=5),
    Life("approve", {"held_on": "2025-10-09", "act_number": "2025-41", **WITH_ALTERNATE}),
    Life("approve", RIGHT["approve"], ends=("conflict",)),
    done("attach", title="Ordre du jour"),
    undone(1, "Thaïs"),
    undone(4),
    Life("undo", {"motive": "", "entry": -1}, "Ornella", ("NOTHING_TO_UNDO", "MOTIVE_REQUIRED")),
    Life("approve", {"held_on": "2025-10-09", "act_number": "2025-41", **WITH_ALTERNATE}),
    done("transmit_act"),
    done("publish_act"),
    refused("retain_trainee", "COMMUNE_UNKNOWN", insee=None, commune="Nulle Part en Artois"),
    refused("retain_trainee", "AMBIGUOUS_COMMUNE", insee=None, commune="Athies"),
    done("retain_trainee"),
    refused("retain_trainee", "TRAINEE_ALREADY_RETAINED"),
    refused("retain_trainee", "BORN_AFTER_SELECTION", family_name="Tard", born_on="2025-12-20"),
    done("retain_trainee", **BY_NAME),
    done("retain_trainees"),
    refused("retain_trainees", "TRAINEE_ALREADY_RETAINED"),
    done("sign"),
    done("act"),
    done("transmit_act", transmitted_on="2025-12-12", receipt_number="AR-2"),
    done("publish_act", published_on="2025-12-16", address="https://cdg.example/actes/2"),
    done("record_appeal"),
    done("record_appeal", decided_on="2026-01-02"),
    done("verify_quorum_rule"),
    Life("review_findings", {}),
    done("verify_residence"),
    done("verify_residence", trainee=5, insee=None, commune="Béthune"),
    done("verify_residence", trainee=6, insee="62041"),
    done("verify_residence", trainee=7, insee="59350", evidence_kind="rent_receipt"),
    done("verify_residence", trainee=7, insee="62041", correction=True),
    done("verify_residence", trainee=6, insee="59350", verified_on="2026-02-01"),
    refused("verify_residence", "UNKNOWN_TRAINEE", trainee=99),
    done("correct_trainee", trainee=6, rank=3),
    Life("delegate", RIGHT["delegate"] | {"role": "training_officer", "to": "Fanny"}, "Thaïs"),
    done("start_training", "Fanny"),
    done("hold_committee"),
    done("record_dropout"),
    done("record_dropout", trainee=5, left_on="2026-04-01", hours_done=200, reason="employer"),
    done("amend", changes={"cap": 2, "dropout_policy": "prorata", "fees": {"continuing": "1450.00"}}),
    refused("complete_training", "TRAINING_NOT_ENDED", ended_on="2026-01-02"),
    done("complete_training"),
    done("present_result"),
    done("transmit_act", transmitted_on="2026-02-21", receipt_number="AR-3", act=3),
    done("publish_act", published_on="2026-02-22", address="https://cdg.example/actes/3", act=3),
    Life("retain_trainee", {**RIGHT["retain_trainee"], "family_name": "Trop", "given_name": "Tard"}, "Thaïs", ("WRONG_STATE",)),
    refused("receive_invoice", "AMOUNT_EXCEEDS_ENTITLEMENT", amount="9000.00"),
    done("receive_invoice", number="F-1", amount="1800.00", document_sha256="1" * 64),
    done("suspend_invoice"),
    done("resume_invoice"),
    done("reject_invoice", decided_on="2026-06-18"),
    refused("receive_invoice", "DUPLICATE", number="f 1", amount="1800.00", document_sha256="2" * 64, issued_on="2026-06-19"),
    done("receive_invoice", number="F-2", amount="6040.81", document_sha256="3" * 64, issued_on="2026-06-19"),
    done("propose_payee", "Fanny", proposed_on="2026-06-19"),
    done("reject_payee", "Ornella", decided_on="2026-06-20"),
    done("propose_payee", "Fanny", proposed_on="2026-06-20"),
    refused("confirm_payee", "PAYEE_SAME_PERSON", person="Fanny", called_on="2026-06-21", confirmed_on="2026-06-22"),
    done("confirm_payee", "Ornella", called_on="2026-06-21", confirmed_on="2026-06-22"),
    done("settle"),
    undone(1, "Fanny"),
    done("settle"),
    refused("order_payment", "WRONG_ROLE", "SAME_PERSON", person="Fanny"),
    Life("order_payment", RIGHT["order_payment"], coded="000000", ends=("PERSON_UNPROVED",)),
    Life("order_payment", RIGHT["order_payment"], coded="right", key="the order"),
    Life("order_payment", RIGHT["order_payment"], key="the order"),
    done("refuse_payment"),
    undone(1, "Pablo", "MONEY_MOVED"),
    done("order_payment", order_number="M2", ordered_on="2026-07-02"),
    refused("pay", "AMOUNT_DIFFERS", amount="6000.00"),
    done("pay", amount="6040.81"),
    Life("pay", RIGHT["pay"] | {"amount": "6040.81"}, ends=("conflict",)),
    done("exclude_trainee", trainee=6),
    done("order_recovery", trainee=5, order_number="T5"),
    refused("close", "RECOVERY_OPEN"),
    refused("record_recovery", "RECOVERED_AMOUNT_DIFFERS", amount="1.00"),
)


def recovered(amount: str) -> tuple[Life, ...]:
    """What follows a recovery order of that amount."""
    return (done("record_recovery", amount=amount), done("close", closed_on="2026-11-01"))


def short(reference: str, *scenes: Life) -> tuple[Life, ...]:
    """A life that begins with the opening of a dossier of that reference."""
    return (Life("open", OPENED | {"reference": reference}), *scenes)


EXECUTORY = (done("transmit_act"), done("publish_act"))
LATER = (
    done("transmit_act", transmitted_on="2025-12-12"),
    done("publish_act", published_on="2025-12-16"),
)
SIGNED = (done("approve"), *EXECUTORY, done("sign"), done("act"), *LATER)
REJECTED = short("CDG-REJET-2025", Life("reject", {"held_on": "2025-10-09", **AGAINST}), done("attach"))
TERMINATED = short("CDG-RESILIE-2025", done("approve"), refused("terminate", "MOTIVE_REQUIRED", motive=""), done("terminate"))
NIL = short(
    "CDG-NEANT-2025",
    *SIGNED,
    done("retain_trainee"),
    done("verify_residence", insee="59350"),
    done("start_training"),
    done("complete_training"),
    Life(
        "receive_invoice", RIGHT["receive_invoice"] | {"number": "F-2", "document_sha256": "4" * 64}, ends=("AMOUNT_EXCEEDS_ENTITLEMENT",)
    ),
    done("close_nil"),
)
DOUBLE = short(
    "CDG-DOUBLON-2025",
    *SIGNED,
    done("retain_trainee"),
    done("verify_residence"),
    done("start_training"),
    done("complete_training"),
    Life("receive_invoice", RIGHT["receive_invoice"] | {"number": "f-2", "document_sha256": "5" * 64}, ends=("DUPLICATE",)),
    done("receive_invoice", number="F-3", document_sha256="5" * 64),
)
UNDER_WAY = short(
    "CDG-ENCOURS-2025",
    *SIGNED,
    done("retain_trainee"),
    done("verify_residence"),
    Life("record_dropout", RIGHT["record_dropout"] | {"left_on": "2026-01-05", "hours_done": None}),
    Life("hold_committee", RIGHT["hold_committee"] | {"held_on": "2026-01-08"}),
)
# Recordings that are taken back by name, long after they were made; and what stands in the way of others.
NAMED = short(
    "CDG-REPRISES-2025",
    *SIGNED[:1],
    done("transmit_act", act=1),
    done("publish_act", act=1),
    done("sign"),
    done("act"),
    done("publish_act", act=2, published_on="2025-12-20", address="https://cdg.example/actes/faux"),
    done("attach", title="Convention"),
    done("attach", title="Annexe d’un autre dossier"),
    done("retain_trainees"),
    done("retain_trainee", family_name="Vasseur", rank=1),
    undone(5),  # the publication of another act
    done("transmit_act", act=2, transmitted_on="2025-12-12", receipt_number="AR-2"),
    done("publish_act", act=2, published_on="2025-12-16", address="https://cdg.example/actes/2"),
    done("verify_residence", trainee=1, insee="62041"),
    done("verify_residence", trainee=3),
    done("start_training"),
    done("record_dropout", trainee=2),  # it was the first
    done("hold_committee"),
    undone(2, "Thaïs"),
    undone(11, "Ornella", "STILL_RELIED_ON"),  # the selection, of which a residence was verified since
    undone(13, "Thaïs"),  # the paper of another dossier
    Life("undo", {"motive": "Encore", "entry": -14}, "Thaïs", ("conflict",)),
    Life("undo", {"motive": "Encore", "entry": 99}, "Ornella", ("NOTHING_TO_UNDO",)),
    done("record_dropout", trainee=1),
    done("attach", title="Annexe"),
    undone(22, "Thaïs", "STILL_RELIED_ON"),  # the signature, which was acted since
)


def _of_story(scenes: Iterable[story.Scene]) -> tuple[Life, ...]:
    return tuple(Life(one.trigger, one.request, story.PEOPLE[one.role], one.refused) for one in scenes)


REAL: tuple[Life, ...] = (
    *_of_story(story.PAST),
    *(Life("retain_trainee", one, story.PEOPLE[Role.TRAINING_OFFICER]) for one in story.trainees()),
    *(Life("verify_residence", one, story.PEOPLE[Role.TRAINING_OFFICER]) for one in story.residences()),
    *_of_story(story.TRAINING),
    *_of_story(story.MONEY),
)


def _of_cigognes() -> Iterable[Life]:
    for trigger, asked in (*cigognes.BEFORE_THE_MONEY, *cigognes.MONEY):
        person = str(asked.get("as", cigognes.PEOPLE[STEPS[trigger].by[0]]))
        yield Life(trigger, {name: value for name, value in asked.items() if name != "as"}, person)


LIVES: dict[str, tuple[Life, ...]] = {
    story.REFERENCE: REAL,
    EVERYTHING: ALL,
    "CDG-REJET-2025": REJECTED,
    "CDG-RESILIE-2025": TERMINATED,
    "CDG-NEANT-2025": NIL,
    "CDG-DOUBLON-2025": DOUBLE,
    "CDG-REPRISES-2025": NAMED,
    "CDG-ENCOURS-2025": UNDER_WAY,
    cigognes.REFERENCE: tuple(_of_cigognes()),
}
