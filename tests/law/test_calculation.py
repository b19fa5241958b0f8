"""What the convention owes, to the cent; how people, dates and entries are written down for good."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models.ledger.chain import canonical
from models.ledger.codec import cents, euros
from states.convention.facts import Terms
from states.engine.findings import standing
from states.grammar.deadlines import From, Within, due_on, paris_day
from states.partnership import Partnership
from states.payment.calculation import REASONS, ceiling, department_of, entitlement, tied_at_cap
from states.trainees.facts import Trainee
from states.trainees.identity import commitment, person_digest
from states.training.facts import Training
from states.vocabulary import State

HERE, ELSEWHERE = "62119", "59350"
FC, FI = Decimal("3822.00"), Decimal("1911.00")
YEAR = ("2025-2026", date(2025, 9, 1), date(2026, 8, 31))
SEED = Terms(
    1, *YEAR, Decimal("2000.00"), 20, "62", "flat", None, None, "majority", "block",
    takes_effect_on=date(2025, 9, 1), dropout_policy=None, proxies_count=False, quorum_verified=True,
    payee_cooling_days=2, nature="subsidy", payment_days=30,
)  # fmt: skip
WITH_FEES = SEED._replace(fee_continuing=FC, fee_initial=FI)


class One(NamedTuple):
    """A trainee as the examples tell of one."""

    insee: str = HERE
    regime: str = "continuing"
    rank: int | None = None
    verified: bool = True
    left_on: date | None = None
    hours_done: int | None = None
    retained_on: date = date(2025, 12, 15)


def trainee(number: int, one: One) -> Trainee:
    seen = (date(2026, 1, 6), "Tania", "tax_notice") if one.verified else (None, None, None)
    left = (one.left_on, one.hours_done, "resignation" if one.left_on else None)
    return Trainee(
        number, one.rank or number, one.regime, one.insee, one.insee, one.retained_on, *seen, None, None, *left, None, commitment=""
    )


TRAINING = Training(1, date(2026, 1, 12), date(2026, 5, 29), 294, None, None, None, None)
BLANK = Partnership("ESSAI-1", imported=False, state=State.TRAINED, version=1, entered_on=date(2026, 5, 29), pepper="00" * 32)


def dossier(*people: One, terms: Terms = SEED) -> Partnership:
    return BLANK._replace(
        terms=(terms,), trainings=(TRAINING,), trainees=tuple(trainee(number, one) for number, one in enumerate(people, start=1))
    )


def statuses(partnership: Partnership) -> list[str]:
    return [line.status for line in entitlement(partnership).lines]


# The examples of the convention.


def test_twenty_residents_give_forty_thousand_euros() -> None:
    assert entitlement(dossier(*[One()] * 20))[:3] == (20, 20, Decimal("40000.00"))


def test_of_twenty_one_residents_the_last_by_rank_is_over_the_cap() -> None:
    due = entitlement(dossier(One(rank=99), *[One()] * 20))
    assert due[:3] == (21, 20, Decimal("40000.00"))
    assert [(line.trainee, line.status) for line in due.lines if line.status != "COUNTED"] == [(1, "OVER_CAP")]


def test_nineteen_residents_and_three_outside_give_thirty_eight_thousand_euros() -> None:
    partnership = dossier(*[One()] * 10, *[One(ELSEWHERE)] * 3, *[One()] * 9)
    assert entitlement(partnership)[:3] == (19, 19, Decimal("38000.00"))
    assert statuses(partnership).count("OUTSIDE_DEPARTMENT") == 3


def test_without_any_resident_nothing_is_due() -> None:
    assert entitlement(dossier(*[One(ELSEWHERE)] * 3))[:3] == (0, 0, Decimal("0.00"))


def test_without_any_trainee_nothing_is_due() -> None:
    assert entitlement(dossier()) == (0, 0, Decimal("0.00"), ())


TWENTY = (*[One()] * 12, *[One(regime="initial")] * 8)


def test_the_flat_rate_ignores_the_fee() -> None:
    assert entitlement(dossier(*TWENTY, terms=WITH_FEES)).amount == Decimal("40000.00")


def test_each_flat_rate_above_the_fee_is_a_finding() -> None:
    found = standing(dossier(*TWENTY, terms=WITH_FEES))
    assert [(one.code, one.subject) for one in found] == [("RATE_EXCEEDS_FEE", str(number)) for number in range(13, 21)]


def test_a_trainee_who_does_not_count_costs_nothing_and_gives_no_finding() -> None:
    people = [One(ELSEWHERE, "initial"), One(regime="initial", verified=False)]
    assert standing(dossier(*people, terms=WITH_FEES)) == ()


def test_a_flat_rate_equal_to_the_fee_is_no_finding() -> None:
    assert standing(dossier(One(regime="initial"), terms=SEED._replace(fee_initial=SEED.rate))) == ()


def test_a_rate_capped_at_the_fee_pays_the_fee_where_it_is_lower() -> None:
    partnership = dossier(*TWENTY, terms=WITH_FEES._replace(amount_mode="capped_at_fee"))
    assert entitlement(partnership).amount == Decimal("39288.00")
    assert standing(partnership) == ()


def test_a_rate_capped_at_an_unknown_fee_is_the_rate() -> None:
    assert entitlement(dossier(*TWENTY, terms=SEED._replace(amount_mode="capped_at_fee"))).amount == Decimal("40000.00")


def test_a_trainee_whose_residence_is_not_verified_does_not_count_yet() -> None:
    partnership = dossier(One(), One(verified=False))
    assert entitlement(partnership).amount == Decimal("2000.00")
    assert statuses(partnership) == ["COUNTED", "RESIDENCE_UNVERIFIED"]


def test_every_line_says_why_in_french() -> None:
    lines = entitlement(dossier(One(), One(), One(ELSEWHERE), One(verified=False), terms=SEED._replace(cap=1))).lines
    assert {line.status for line in lines} == {"COUNTED", "OVER_CAP", "OUTSIDE_DEPARTMENT", "RESIDENCE_UNVERIFIED"}
    assert all(line.reason == REASONS[line.status] for line in lines)


@pytest.mark.parametrize(
    ("insee", "department"),
    [("62119", "62"), ("01004", "01"), ("2A004", "2A"), ("2B033", "2B"), ("97105", "971"), ("97411", "974"), ("98735", "987")],
)
def test_the_department_is_read_from_the_commune_code(insee: str, department: str) -> None:
    assert department_of(insee) == department


# Equal ranks at the cap.


def test_two_equal_ranks_that_the_cap_would_part_are_told_and_nobody_else() -> None:
    assert tied_at_cap(entitlement(dossier(*[One()] * 19, One(rank=20), One(rank=20), One(rank=21)))) == (20, 21)


def test_equal_ranks_that_both_count_are_no_matter() -> None:
    assert tied_at_cap(entitlement(dossier(One(rank=1), One(rank=1), *[One()] * 19))) == ()


def test_equal_ranks_are_no_matter_when_all_fit_under_the_cap() -> None:
    assert tied_at_cap(entitlement(dossier(*[One(rank=1)] * 20))) == ()


def test_equal_ranks_are_no_matter_when_one_lives_elsewhere() -> None:
    assert tied_at_cap(entitlement(dossier(*[One()] * 19, One(rank=20), One(ELSEWHERE, rank=20), One(rank=21)))) == ()


# Laws of the sum.

REGIME = st.sampled_from(["continuing", "initial"])
LEFT = st.none() | st.dates(date(2025, 12, 16), date(2026, 5, 29))
SOMEBODY = st.builds(
    One, st.sampled_from([HERE, "62041", ELSEWHERE]), REGIME, st.integers(1, 30), st.booleans(), LEFT, st.none() | st.integers(0, 400)
)
PEOPLE = st.lists(SOMEBODY, max_size=30)
EUROS = st.decimals(min_value=Decimal("0.01"), max_value=999_999, places=2)
FEE = st.none() | EUROS
TERMS = st.builds(
    lambda rate, cap, mode, fc, fi, policy: SEED._replace(
        rate=rate, cap=cap, amount_mode=mode, fee_continuing=fc, fee_initial=fi, dropout_policy=policy
    ),
    *(EUROS, st.integers(1, 8), st.sampled_from(["flat", "capped_at_fee"]), FEE, FEE, st.sampled_from([None, "full", "prorata", "none"])),
)


@given(PEOPLE, TERMS)
def test_the_sum_never_exceeds_the_cap_times_the_rate(people: list[One], terms: Terms) -> None:
    due = entitlement(dossier(*people, terms=terms))
    assert due.amount <= terms.cap * terms.rate == ceiling(dossier(*people, terms=terms))
    assert due.subsidised == [line.status for line in due.lines].count("COUNTED") <= terms.cap


@given(PEOPLE, TERMS)
def test_a_sum_capped_at_the_fees_never_exceeds_them(people: list[One], terms: Terms) -> None:
    partnership = dossier(*people, terms=terms._replace(amount_mode="capped_at_fee"))
    counted = {line.trainee for line in entitlement(partnership).lines if line.counted}
    fees = [terms.fee(one.fee_regime) for one in partnership.trainees if one.number in counted]
    assert None in fees or entitlement(partnership).amount <= sum(fee for fee in fees if fee is not None)


@given(PEOPLE, TERMS)
def test_nobody_who_withdrew_before_the_start_is_paid_for(people: list[One], terms: Terms) -> None:
    partnership = dossier(*people, terms=terms)
    early = {one.number for one in partnership.trainees if one.left_on is not None and one.left_on < TRAINING.starts_on}
    assert not early & {line.trainee for line in entitlement(partnership).lines if line.unit}


@pytest.mark.parametrize(("policy", "amount"), [("full", "2000.00"), ("prorata", "680.27"), ("none", "0.00"), (None, "0.00")])
def test_who_left_at_100_of_294_hours_is_paid_for_as_the_convention_says(policy: str | None, amount: str) -> None:
    partnership = dossier(One(left_on=date(2026, 3, 1), hours_done=100), terms=SEED._replace(dropout_policy=policy))
    assert entitlement(partnership).amount == Decimal(amount)


def test_a_place_freed_before_the_start_goes_to_the_waiting_list() -> None:
    partnership = dossier(One(left_on=date(2026, 1, 5)), One(), One(), terms=SEED._replace(cap=1))
    assert statuses(partnership) == ["WITHDRAWN", "COUNTED", "OVER_CAP"]


@given(PEOPLE, TERMS)
def test_the_sum_is_exact_to_the_cent(people: list[One], terms: Terms) -> None:
    due = entitlement(dossier(*people, terms=terms))
    assert cents(due.amount) == sum(cents(line.unit) for line in due.lines)
    assert due.amount.as_tuple().exponent == -2


@given(PEOPLE, TERMS, st.randoms(use_true_random=False))
def test_the_order_in_which_trainees_were_entered_changes_nothing(people: list[One], terms: Terms, chance: Any) -> None:
    partnership = dossier(*people, terms=terms)
    shuffled = partnership._replace(trainees=tuple(chance.sample(partnership.trainees, len(people))))
    assert entitlement(shuffled) == entitlement(partnership)
    assert tied_at_cap(entitlement(shuffled)) == tied_at_cap(entitlement(partnership))


@given(PEOPLE, TERMS, st.integers(1, 30))
def test_a_trainee_from_elsewhere_never_changes_the_sum(people: list[One], terms: Terms, rank: int) -> None:
    before, after = dossier(*people, terms=terms), dossier(*people, One(ELSEWHERE, rank=rank), terms=terms)
    assert entitlement(after)[:3] == entitlement(before)[:3]


@given(PEOPLE, TERMS)
def test_nobody_over_the_cap_ranks_before_somebody_who_counts(people: list[One], terms: Terms) -> None:
    lines = entitlement(dossier(*people, terms=terms)).lines
    counted, over = ([line.rank for line in lines if line.status == status] for status in ("COUNTED", "OVER_CAP"))
    assert not over or max(counted) <= min(over)


@given(PEOPLE, TERMS)
def test_a_tie_is_told_exactly_when_a_rank_is_on_both_sides_of_the_cap(people: list[One], terms: Terms) -> None:
    partnership = dossier(*people, terms=terms)
    counted, over = ({line.rank for line in entitlement(partnership).lines if line.status == one} for one in ("COUNTED", "OVER_CAP"))
    tied = {one.rank for one in partnership.trainees if one.number in tied_at_cap(entitlement(partnership))}
    assert tied == counted & over


# Cents, entries, people, days.


@given(st.decimals(min_value=0, max_value=Decimal("999999999.99"), places=2))
def test_euros_become_cents_and_come_back(amount: Decimal) -> None:
    assert str(euros(cents(amount))) == str(amount)


@given(st.integers(0, 10**13))
def test_cents_become_euros_and_come_back(amount: int) -> None:
    assert cents(euros(amount)) == amount


SAFE = 2**53 - 1
ASCII = st.text(st.characters(max_codepoint=127))
ENTRY = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(ASCII, inner),
    max_leaves=30,
)


@given(ENTRY)
def test_an_entry_is_spelled_as_rfc_8785_says(entry: Any) -> None:
    assert canonical(entry) == rfc8785.dumps(entry)


PEPPER, BORN = "0f" * 32, date(1990, 5, 4)


@pytest.mark.parametrize(
    ("family_name", "given_name"),
    [
        ("LEFEVRE-DUPONT", "ZOE"),
        ("Lefèvre Dupont", "Zoé"),
        ("lefe\u0300vre-dupont", "zoe\u0301"),
        ("Lefèvre\u2010Dupont", " Zoé "),
        ("LEFÈVRE'DUPONT", "Z-o-ë"),
    ],
)
def test_case_accents_and_hyphens_make_no_other_person(family_name: str, given_name: str) -> None:
    assert person_digest(PEPPER, family_name, given_name, BORN) == person_digest(PEPPER, "Lefèvre-Dupont", "Zoé", BORN)


@pytest.mark.parametrize(("written", "typed"), [("Lecœur", "LECOEUR"), ("Œhler", "Oehler"), ("Lætitia", "Laetitia"), ("Weiß", "WEISS")])
def test_a_ligature_makes_no_other_person(written: str, typed: str) -> None:
    assert person_digest(PEPPER, written, written, BORN) == person_digest(PEPPER, typed, typed, BORN)


@pytest.mark.parametrize(
    ("pepper", "family_name", "given_name", "born_on"),
    [
        ("f0" * 32, "Martin", "Zoé", BORN),
        (PEPPER, "Martine", "Zoé", BORN),
        (PEPPER, "Marti", "nZoé", BORN),
        (PEPPER, "Martin", "Zoé", date(1990, 5, 5)),
    ],
)
def test_another_name_day_or_dossier_is_another_digest(pepper: str, family_name: str, given_name: str, born_on: date) -> None:
    assert person_digest(pepper, family_name, given_name, born_on) != person_digest(PEPPER, "Martin", "Zoé", BORN)


def test_a_commitment_depends_on_its_salt_and_tells_no_name() -> None:
    told = commitment("00" * 16, "Martin", "Zoé", BORN)
    assert told != commitment("01" * 16, "Martin", "Zoé", BORN)
    assert len(bytes.fromhex(told)) == 32


@pytest.mark.parametrize(
    ("within", "trainings", "due"),
    [
        (None, (TRAINING,), None),
        (Within(0), (TRAINING,), date(2026, 5, 29)),
        (Within(90), (TRAINING,), date(2026, 8, 27)),
        (Within(15, From.TRAINING_END), (TRAINING,), date(2026, 6, 13)),
        (Within(15, From.TRAINING_END), (), date(2026, 6, 13)),
        (Within(0, From.YEAR_END), (), date(2026, 8, 31)),
    ],
)
def test_a_deadline_is_counted_in_days_from_its_start(within: Within | None, trainings: tuple[Training, ...], due: date | None) -> None:
    assert due_on(within, dossier()._replace(trainings=trainings)) == due


def test_a_dossier_that_is_not_open_has_no_deadline() -> None:
    assert due_on(Within(60), dossier()._replace(entered_on=None)) is None


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-01-31T22:59:59", (2026, 1, 31)),
        ("2026-01-31T23:00:00", (2026, 2, 1)),
        ("2026-03-28T23:00:00", (2026, 3, 29)),  # the last winter midnight
        ("2026-03-29T21:59:59", (2026, 3, 29)),
        ("2026-03-29T22:00:00", (2026, 3, 30)),  # the first summer midnight
        ("2026-10-24T22:00:00", (2026, 10, 25)),  # the last summer midnight
        ("2026-10-25T22:59:59", (2026, 10, 25)),
        ("2026-10-25T23:00:00", (2026, 10, 26)),
        ("2025-12-31T23:00:00", (2026, 1, 1)),
    ],
)
def test_the_day_is_the_one_on_the_wall_in_paris(instant: str, day: tuple[int, int, int]) -> None:
    assert paris_day(datetime.fromisoformat(instant).replace(tzinfo=UTC)) == date(*day)
