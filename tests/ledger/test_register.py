"""The register of people: who may change it, what takes two persons, how somebody is enrolled, and what nobody can do behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from enlisting import TEST_VAULT, enlist, reroled
from forging import entries_of, rechain
from walks import AT, PEOPLE, SECRETS, Walk
from witness import drop_triggers, sql

from flows.mail.people import letters_of
from models.answers import Done, Invalid
from models.database.faults import Unreachable
from models.database.store import Store
from models.ledger.ledger import Ledger
from models.people.codes import Shown, code_at, new_secret
from models.people.invitations import invitation_digest
from models.people.register import Changed, Founder, Register
from models.people.vault import KEY_BYTES, KeyedVault
from models.verify.proof import Verifier
from states.grammar.guard import Refused
from states.register.facts import Deed, Standing
from states.register.records import AGREEING, SENSITIVE
from states.register.requests import Verb, Wish
from states.vocabulary import Role, State

SECOND, NEW = "Olivia", "Zoé Petit"
OLGA, OMAR = PEOPLE[Role.OPERATOR], PEOPLE[Role.AUTHORISING_OFFICER]
PAOLA, TANIA = PEOPLE[Role.PUBLIC_ACCOUNTANT], PEOPLE[Role.TRAINING_OFFICER]
TOKEN = "ABCD-EFGH-JKLM-NPQR-STUV"


@pytest.fixture
def register(store: Store) -> Register:
    """One person for each role, and a second operator."""
    Walk(store)
    enlist(store, SECOND, "olivia@essai.example", [Role.OPERATOR], SECRETS[OLGA])
    return Register(store, TEST_VAULT)


def wish(verb: Verb, person: str = NEW, *roles: Role, **more: Any) -> Wish:
    return Wish(verb, person, roles, invitation=invitation_digest(TOKEN), **more)


def done(register: Register, *wishes: Wish, actor: str = OLGA, **more: Any) -> list[str]:
    """The deeds that were written."""
    changed = register.change(wishes, actor=actor, at=AT, **more)
    assert isinstance(changed, Changed), changed
    return [entry.deed for entry in changed.entries]


def refused(register: Register, *wishes: Wish, actor: str = OLGA, **more: Any) -> list[str]:
    """The codes of the reasons; nothing is written."""
    before = register.entries()
    answer = register.change(wishes, actor=actor, at=AT, **more)
    assert isinstance(answer, Refused), answer
    assert register.entries() == before
    return [reason.code for reason in answer.reasons]


def adding(*roles: Role, person: str = NEW, mail: str = "zoe@essai.example") -> Wish:
    return wish(Verb.ADD, person, *roles, mail=mail)


def test_the_first_person_is_made_once_and_that_is_written(store: Store) -> None:
    register = Register(store, TEST_VAULT)
    founded = register.found([Founder("Dominique", "d@essai.example", (Role.OPERATOR,), new_secret())], at=AT)
    assert [(entry.n, entry.deed, entry.person, entry.actor) for entry in founded.entries] == [(1, Deed.FOUNDED, "Dominique", "Dominique")]
    with pytest.raises(Invalid, match="Le registre a déjà un exploitant"):
        register.found([Founder("Autre", "a@essai.example", (Role.OPERATOR,))], at=AT)


def test_a_register_of_before_without_an_operator_who_has_codes_is_begun_again(store: Store) -> None:
    """Else nobody could ever change it. It is written, and the money roles and auditors are told."""
    enlist(store, "Camille", "c@essai.example", [Role.PUBLIC_ACCOUNTANT], SECRETS[OLGA])
    enlist(store, "Sans code", "s@essai.example", [Role.OPERATOR])
    register = Register(store, TEST_VAULT)
    with pytest.raises(Invalid, match="Sans code est déjà au registre"):
        register.found([Founder("sans CODE", "s@essai.example", (Role.OPERATOR,), new_secret())], at=AT)
    before = register.house()
    founded = register.found([Founder("Dominique", "d@essai.example", (Role.OPERATOR,), new_secret())], at=AT)
    assert {letter.to_name for letter in letters_of(founded.entries, founded.house, before, {})} == {"Dominique", "Camille"}
    with pytest.raises(Invalid, match="Le registre a déjà un exploitant"):
        register.found([Founder("Autre", "a@essai.example", (Role.OPERATOR,), new_secret())], at=AT)
    assert Verifier(store).verify_register().faults == ()


def test_a_person_without_money_is_added_by_one_operator_and_invited_at_once(register: Register) -> None:
    assert done(register, adding(Role.TRAINING_OFFICER)) == [Deed.ADDED, Deed.ROLE_GIVEN, Deed.INVITED]
    assert register.person("zoé petit").roles == (Role.TRAINING_OFFICER,)


@pytest.mark.parametrize("role", sorted(SENSITIVE))
def test_a_role_of_money_waits_for_a_second_person(register: Register, role: Role) -> None:
    assert done(register, adding(role)) == [Deed.ADDED, Deed.ROLE_ASKED]
    assert register.person(NEW).roles == ()
    asked = next(iter(register.house().waiting))
    assert refused(register, wish(Verb.AGREE, answers=asked)) == ["SAME_PERSON"]
    assert done(register, wish(Verb.AGREE, answers=asked), actor=SECOND) == [Deed.ROLE_GIVEN, Deed.INVITED]
    assert register.person(NEW).roles == (role,)
    assert register.entries()[-2].proposed_by == OLGA


def test_the_superior_may_agree_and_nobody_else(register: Register) -> None:
    done(register, adding(Role.PUBLIC_ACCOUNTANT))
    agree = wish(Verb.AGREE, answers=register.house().n)
    for actor in sorted(PEOPLE.values()):
        member = register.house().member(actor)
        assert member is not None
        if not member.held & AGREEING:
            assert refused(register, agree, actor=actor) == ["ROLE_REQUIRED"]
    assert done(register, agree, actor=OMAR) == [Deed.ROLE_GIVEN, Deed.INVITED]


def test_what_waits_is_declined_and_then_waits_no_more(register: Register) -> None:
    done(register, adding(Role.PUBLIC_ACCOUNTANT))
    asked = register.house().n
    assert done(register, wish(Verb.DECLINE, answers=asked, because="erreur"), actor=SECOND) == [Deed.DECLINED]
    assert refused(register, wish(Verb.AGREE, answers=asked), actor=SECOND) == ["NOTHING_WAITS"]


def test_one_operator_alone_makes_a_second_and_the_journal_says_so(store: Store) -> None:
    register = Register(store, TEST_VAULT)
    register.found([Founder(OLGA, "o@essai.example", (Role.OPERATOR,), SECRETS[OLGA])], at=AT)
    assert done(register, adding(Role.OPERATOR)) == [Deed.ADDED, Deed.ROLE_GIVEN, Deed.INVITED]
    assert [entry.alone for entry in register.entries() if entry.deed == Deed.ROLE_GIVEN] == [True]
    assert done(register, adding(Role.OPERATOR, person="Autre", mail="autre@essai.example")) == [Deed.ADDED, Deed.ROLE_ASKED]
    assert done(register, adding(Role.FINANCE_OFFICER, person="Encore", mail="e@essai.example")) == [Deed.ADDED, Deed.ROLE_ASKED]


@pytest.mark.parametrize(("held", "given"), [(OMAR, Role.PUBLIC_ACCOUNTANT), (PAOLA, Role.AUTHORISING_OFFICER)])
def test_what_money_keeps_apart_is_kept_apart_for_own_roles_too(register: Register, held: str, given: Role) -> None:
    assert refused(register, wish(Verb.GIVE, held, given)) == ["ROLES_KEPT_APART"]
    assert refused(register, adding(Role.PUBLIC_ACCOUNTANT, Role.AUTHORISING_OFFICER)) == ["ROLES_KEPT_APART"]


def test_what_waits_counts_as_held(register: Register) -> None:
    done(register, adding(Role.PUBLIC_ACCOUNTANT))
    assert refused(register, wish(Verb.GIVE, NEW, Role.AUTHORISING_OFFICER)) == ["ROLES_KEPT_APART"]


@pytest.mark.parametrize("verb", [Verb.GIVE, Verb.ADDRESS, Verb.INVITE, Verb.SUSPEND])
def test_nobody_changes_their_own_line(register: Register, verb: Verb) -> None:
    own = wish(verb, " OLGA ", *([Role.AUDITOR] if verb is Verb.GIVE else []), mail="x@essai.example", because="essai")
    assert refused(register, own) == ["ON_ONESELF"]


def test_the_last_operator_stays(store: Store, register: Register) -> None:
    assert done(register, wish(Verb.LEAVE, SECOND)) == [Deed.LEFT]
    assert refused(register, wish(Verb.TAKE, OLGA, Role.OPERATOR)) == ["LAST_OPERATOR"]
    assert refused(register, wish(Verb.LEAVE, OLGA)) == ["LAST_OPERATOR"]
    assert refused(register, wish(Verb.SUSPEND, OLGA, because="essai"), actor=OMAR) == ["LAST_OPERATOR"]


def test_an_operator_without_codes_does_not_count_as_another(store: Store, register: Register) -> None:
    done(register, wish(Verb.LEAVE, SECOND))
    enlist(store, "Sans code", "s@essai.example", [Role.OPERATOR])
    assert refused(register, wish(Verb.TAKE, OLGA, Role.OPERATOR)) == ["LAST_OPERATOR"]


def test_every_change_needs_the_code_of_who_makes_it(register: Register) -> None:
    assert refused(register, wish(Verb.LEAVE, TANIA), shown=Shown(None, AT)) == ["PERSON_UNPROVED"]
    assert refused(register, wish(Verb.LEAVE, TANIA), shown=Shown("000000", AT)) == ["PERSON_UNPROVED"]
    right = Shown(code_at(SECRETS[OLGA], AT), AT)
    assert done(register, wish(Verb.LEAVE, TANIA), shown=right) == [Deed.LEFT]
    assert register.entries()[-1].proof == "right"
    assert refused(register, wish(Verb.LEAVE, PAOLA), shown=right) == ["PERSON_UNPROVED"]


def test_several_wishes_are_done_together_or_not_at_all(register: Register) -> None:
    assert refused(register, adding(Role.AUDITOR), wish(Verb.GIVE, OMAR, Role.PUBLIC_ACCOUNTANT)) == ["ROLES_KEPT_APART"]
    with pytest.raises(Invalid):
        register.person(NEW)


# Invitations


def invited(register: Register) -> str:
    done(register, adding(Role.AUDITOR))
    return TOKEN


def test_an_invitation_serves_once_for_the_person_who_has_it(register: Register) -> None:
    secret = new_secret()
    register.enrol(invited(register), secret, code_at(secret, AT), at=AT)
    assert [entry.deed for entry in register.entries()][-1] == Deed.ENROLLED
    with pytest.raises(Invalid, match="n’est pas, ou n’est plus, valable"):
        register.enrol(TOKEN, secret, code_at(secret, AT), at=AT)
    used = Shown(code_at(secret, AT), AT)
    assert refused(register, wish(Verb.LEAVE, TANIA), actor=NEW, shown=used) == ["PERSON_UNPROVED", "ROLE_REQUIRED"]


@pytest.mark.parametrize("typed", ["abcd efgh jklm npqr stuv", "ABCDEFGHJKLMNPQRSTUV", " abcd-EFGH-jklm-NPQR-stuv "])
def test_an_invitation_is_read_however_it_is_typed(register: Register, typed: str) -> None:
    invited(register)
    secret = new_secret()
    assert register.enrol(typed, secret, code_at(secret, AT), at=AT).entries[0].person == NEW


def test_an_invitation_that_is_late_wrong_or_replaced_is_worth_nothing(register: Register) -> None:
    invited(register)
    secret = new_secret()
    late = AT + timedelta(hours=72)
    with pytest.raises(Invalid, match="plus de 72 heures"):
        register.enrol(TOKEN, secret, code_at(secret, late), at=late)
    with pytest.raises(Invalid, match="n’est pas celui de ce secret : recommencez, l’invitation n’a pas servi"):
        register.enrol(TOKEN, secret, "000000", at=AT)
    done(register, Wish(Verb.INVITE, NEW, invitation=invitation_digest("AUTRE")))
    with pytest.raises(Invalid, match="n’est pas, ou n’est plus"):
        register.enrol(TOKEN, secret, code_at(secret, AT), at=AT)


def test_inviting_who_has_a_role_of_money_takes_two_persons(register: Register) -> None:
    assert done(register, wish(Verb.INVITE, PAOLA)) == [Deed.INVITATION_ASKED]
    with pytest.raises(Invalid):
        register.enrol(TOKEN, new_secret(), "000000", at=AT)
    assert done(register, wish(Verb.AGREE, answers=register.house().n), actor=SECOND) == [Deed.INVITED]
    secret = new_secret()
    register.enrol(TOKEN, secret, code_at(secret, AT), at=AT)


# Who left, who is suspended, who waits


def test_who_is_suspended_or_has_left_acts_no_more_and_their_history_stays(store: Store, register: Register) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.ledger = Ledger(store, vault=TEST_VAULT)
    bruno = PEOPLE[Role.BOARD_SECRETARY]
    assert done(register, wish(Verb.SUSPEND, bruno, because="enquête")) == [Deed.SUSPENDED]
    answer = walk.ask("approve")
    assert isinstance(answer, Refused)
    assert register.person(bruno).standing is Standing.SUSPENDED
    assert done(register, wish(Verb.RESUME, bruno)) == [Deed.RESUMED]
    assert isinstance(walk.ask("approve"), Done)
    assert done(register, wish(Verb.LEAVE, bruno)) == [Deed.LEFT]
    assert isinstance(walk.ask("transmit_act", shown=Shown(code_at(SECRETS[bruno], AT), AT)), Refused)
    assert refused(register, wish(Verb.RESUME, bruno)) == ["NOT_SUSPENDED"]
    assert refused(register, wish(Verb.GIVE, bruno, Role.AUDITOR)) == ["PERSON_LEFT"]


def test_a_role_of_money_waits_for_the_next_working_day(store: Store) -> None:
    walk = Walk(store).until(State.INVOICED)
    reroled(store, PEOPLE[Role.FINANCE_OFFICER], [Role.AUDITOR])
    reroled(store, PEOPLE[Role.FINANCE_OFFICER], [Role.FINANCE_OFFICER], at=AT)
    answer = walk.ask("settle")
    assert isinstance(answer, Refused)
    assert [reason.code for reason in answer.reasons] == ["ROLE_TOO_NEW"]
    assert "il sert à partir du 24 novembre 2026" in answer.reasons[0].reason
    walk.ledger = Ledger(store, vault=TEST_VAULT, waits=0)
    assert isinstance(walk.ask("settle"), Done)


# Behind the journal's back


def test_a_secret_opens_with_its_key_for_its_person_only(store: Store, register: Register) -> None:
    walk = Walk(store).until(State.PROPOSED)
    walk.ledger = Ledger(store, vault=KeyedVault(b"x" * KEY_BYTES))
    shown = Shown(code_at(SECRETS[PEOPLE[Role.BOARD_SECRETARY]], AT), AT)
    with pytest.raises(Unreachable, match="la clé des codes n’est pas celle de cette base"):
        walk.ask("approve", shown=shown)
    assert SECRETS[OLGA] not in str(sql(store, "SELECT secret FROM people"))
    sql(store, "UPDATE people SET secret = (SELECT secret FROM people WHERE name = 'Olga') WHERE name = 'Bruno'")
    walk.ledger = Ledger(store, vault=TEST_VAULT)
    with pytest.raises(Unreachable, match="ne s’ouvre pas"):
        walk.ask("approve", shown=Shown(code_at(SECRETS[OLGA], AT), AT))
    sql(store, f"UPDATE people SET secret = '{SECRETS[OLGA]}' WHERE name = 'Bruno'")
    with pytest.raises(Unreachable, match="ne s’ouvre pas"):
        walk.ask("approve", shown=Shown(code_at(SECRETS[OLGA], AT), AT))


@pytest.mark.parametrize("statement", ["UPDATE register_journal SET digest = digest", "DELETE FROM register_journal"])
def test_the_journal_of_the_register_only_grows(store: Store, register: Register, statement: str) -> None:
    with pytest.raises(Exception, match="append-only"):
        sql(store, statement)


# Cyrillic letters, a letter of no width, a filler of Korean, accents in a pile, a sign that turns the line, a digit for a letter.
MISLEADING = (
    "\u0421amille",
    "Ca\u200bmille",
    "\u3164",
    "Zoe" + "\u0301" * 150,
    "T\u0430ni\u0430",
    "12",
    "Ol\u202ega",
    "0lga",
    "T\u00c0NIA",
    "horloge",
)


@pytest.mark.parametrize("name", MISLEADING, ids=ascii)
def test_a_name_that_misleads_is_refused_with_the_name_it_looks_like(register: Register, name: str) -> None:
    found = refused(register, adding(Role.AUDITOR, person=name))
    assert set(found) <= {"NAME_MISLEADS", "NAME_TAKEN", "NAME_EMPTY", "NAME_RESERVED"}
    answer = register.change([adding(Role.AUDITOR, person="T\u0430ni\u0430")], actor=OLGA, at=AT)
    assert isinstance(answer, Refused)
    assert "il passe pour « Tania »" in answer.reasons[0].reason


def test_an_address_that_another_has_is_asked_about(register: Register) -> None:
    same = adding(Role.AUDITOR, mail="TANIA@essai.example")
    assert refused(register, same) == ["MAIL_SHARED"]
    assert done(register, same._replace(shared_mail=True)) == [Deed.ADDED, Deed.ROLE_GIVEN, Deed.INVITED]


# What verify says of who acted


def faults(store: Store, reference: str = "ESSAI-1") -> str:
    return " ".join(Verifier(store).verify(reference).faults)


def test_each_entry_is_judged_by_the_register_of_its_moment(store: Store) -> None:
    walk = Walk(store).until(State.APPROVED)
    reroled(store, PEOPLE[Role.BOARD_SECRETARY], [Role.AUDITOR])
    assert faults(store) == ""  # what was done before stays right
    assert Verifier(store).verify_register().faults == ()
    assert isinstance(walk.ask("transmit_act"), Refused)
    assert faults(store) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"role": "board_secretary,public_accountant"}, "elle prête à Tania le rôle"),
        ({"register": 99}, "un registre des personnes qui n’a jamais existé"),
        ({"actor": "Paola"}, "elle prête à Paola le rôle responsable formation"),
    ],
)
def test_an_entry_rehashed_with_another_role_is_named(store: Store, change: dict[str, Any], said: str) -> None:
    Walk(store).until(State.SIGNED)
    drop_triggers(store)
    entries = entries_of(store)
    entries[0] |= change
    rechain(store, entries)
    assert said in faults(store)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE people_roles SET role = 'public_accountant' WHERE role = 'training_officer'",
            "pour les rôles de Tania, la table dit autre chose",
        ),
        ("UPDATE people SET mail = 'voleur@ailleurs.example' WHERE name = 'Tania'", "pour l’adresse de Tania, la table dit autre chose"),
        ("UPDATE people SET standing = 'left' WHERE name = 'Tania'", "pour la présence de Tania, la table dit autre chose"),
        ("UPDATE people SET secret = NULL WHERE name = 'Tania'", "pour l’enrôlement de Tania, la table dit autre chose"),
        ("UPDATE people SET name = 'Tanja' WHERE name = 'Tania'", "pour le nom de Tania, la table dit autre chose"),
        ("UPDATE people_roles SET since = '' WHERE role = 'auditor'", "pour les rôles de Zoé Petit, la table dit autre chose"),
        ("INSERT INTO people (name, folded, mail, standing, code_failures) VALUES ('X', 'x', 'x', 'present', 0)", "X est dans la table"),
    ],
)
def test_a_row_of_people_changed_behind_the_journal_is_named(store: Store, register: Register, statement: str, said: str) -> None:
    done(register, adding(Role.AUDITOR))
    assert Verifier(store).verify_register().faults == ()
    sql(store, statement)
    assert said in " ".join(Verifier(store).verify_register().faults)
