"""The letters that a change of the register causes: to the person, and about money to everybody who can tell that something is odd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from flows.ports.mail import Letter
from flows.wording import role_label
from models.people.codes import Failures
from models.people.register import Person
from states.grammar.deadlines import PARIS
from states.lifecycle import MONEY_ROLES
from states.register.facts import WAITING, Deed, Member, RegisterEntry, folded
from states.register.fold import House
from states.register.records import AGREEING, SENSITIVE
from states.values.french import counted, day
from states.vocabulary import Role

WATCHING = MONEY_ROLES | {Role.AUDITOR}
END = ("", "Si cela vous surprend, prévenez tout de suite l’exploitant et l’auditeur.", "", "Message automatique de jalon.", "")


def letters_of(entries: Sequence[RegisterEntry], house: House, before: House, invitations: Mapping[str, str]) -> Iterator[Letter]:
    """The letters of a change: `house` is the register after it, `before` the one before.

    `invitations` are what invitations say, by the sha256 that the register keeps of them.
    """
    for entry in entries:
        member = house.members[folded(entry.person)]
        at = datetime.fromisoformat(entry.recorded_at)
        if entry.deed == Deed.INVITED and entry.invitation in invitations:
            yield _invitation(entry, member, invitations[entry.invitation or ""], at)
        elif told := _told(entry, member, house, before):
            for name, mail in dict.fromkeys(told):
                reader = house.member(name)
                yield _notice(entry, (name, mail), at, may_agree=reader is not None and not reader.held.isdisjoint(AGREEING))


def _told(entry: RegisterEntry, member: Member, house: House, before: House) -> list[tuple[str, str]]:
    """Who is written to, by name and address: an address that was replaced is told too."""
    roles = set(member.roles) | ({Role(entry.role)} if entry.role else set())
    people = [(member.name, member.mail)] if entry.deed in OF_THE_PERSON else []
    if entry.deed == Deed.ADDRESS_CHANGED and (earlier := before.member(member.name)) is not None:
        people.append((member.name, earlier.mail))
    if roles & SENSITIVE and entry.deed in OF_MONEY:
        people += [(other.name, other.mail) for other in house.holding(*WATCHING, *(AGREEING if entry.deed in WAITING else ()))]
    return people


OF_THE_PERSON = frozenset(Deed) - {Deed.CARRIED, Deed.WITNESSED, Deed.INVITATION_ASKED, Deed.INVITED, Deed.DECLINED}
OF_MONEY = frozenset(Deed) - {Deed.CARRIED, Deed.WITNESSED, Deed.ADDED, Deed.INVITED}


def _what(entry: RegisterEntry) -> str:
    label = Deed(entry.deed).label
    label = label.replace("rôle", f"rôle « {role_label(entry.role)} »", 1) if entry.role else label
    because = f" Motif : {entry.because}" if entry.because else ""
    second = f" {entry.proposed_by} l’avait demandé." if entry.proposed_by else ""
    alone = " Personne d’autre ne pouvait donner son accord : une seule personne l’a décidé." if entry.alone else ""
    return f"{entry.person} : {label}, par {entry.actor}.{second}{alone}{because}"


def _notice(entry: RegisterEntry, reader: tuple[str, str], at: datetime, *, may_agree: bool) -> Letter:
    (name, mail), here = reader, at.astimezone(PARIS)
    todo = []
    if entry.deed in WAITING and may_agree:
        todo = ["", f"Il faut l’accord d’une seconde personne : jalon people agree {entry.n} --as suivi de son nom."]
    body = [
        f"Bonjour {name},",
        "",
        f"Le registre des personnes de jalon a changé le {day(here.date())} à {here:%H:%M} :",
        _what(entry),
        *todo,
        *END,
    ]
    return Letter(f"people.{entry.n}", name, mail, f"[jalon] Registre : {entry.person}, {Deed(entry.deed).label}", "\n".join(body), at)


def mistaken_letter(person: Person, failures: Failures, at: datetime) -> Letter:
    """Somebody gives wrong codes for this person: they go on with right ones, and know."""
    last = datetime.fromisoformat(failures.at or at.isoformat()).astimezone(PARIS)
    body = [
        f"Bonjour {person.name},",
        "",
        f"{counted(failures.many, 'code faux a été donné', 'codes faux ont été donnés')} à votre nom.",
        f"Le dernier l’a été le {day(last.date())} à {last:%H:%M}.",
        "Rien n’a été fait en votre nom. Vos propres codes restent bons : vous pouvez continuer.",
        *END,
    ]
    return Letter(
        f"codes.{last:%Y%m%d%H}", person.name, person.mail, "[jalon] Des codes faux ont été donnés à votre nom", "\n".join(body), at
    )


def _invitation(entry: RegisterEntry, member: Member, invitation: str, at: datetime) -> Letter:
    until = datetime.fromisoformat(entry.until or entry.recorded_at).astimezone(PARIS)
    body = [
        f"Bonjour {member.name},",
        "",
        f"{entry.actor} vous invite à enrôler votre téléphone pour les codes à usage unique de jalon.",
        "Sur votre propre écran, lancez :",
        "",
        "  jalon people enrol",
        "",
        f"et donnez cette invitation : {invitation}",
        "",
        f"Elle sert une fois, jusqu’au {day(until.date())} à {until:%H:%M}. Ne la donnez à personne : qui s’en sert agit en votre nom.",
        "Si elle a déjà servi sans vous, prévenez tout de suite l’exploitant et l’auditeur.",
        "",
        "Message automatique de jalon.",
        "",
    ]
    return Letter(
        f"invitation.{entry.n}", member.name, member.mail, "[jalon] Votre invitation : à utiliser sous 72 heures", "\n".join(body), at
    )
