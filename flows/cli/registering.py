"""The register of people, from the command line."""

from __future__ import annotations

import getpass
import io
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import segno
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from flows.cli.asking import prompted, source
from flows.cli.screen import Page, of_answer
from flows.home import Home
from flows.mail.people import letters_of
from flows.ports import mail as post
from flows.ports.clock import now
from flows.ports.files import taken
from flows.ports.terminal import say
from flows.wording import role_label, table, wall_time
from models.answers import Invalid
from models.database.faults import Unreachable
from models.people.codes import Shown, code_at, new_secret, period_of, provisioning
from models.people.invitations import invitation_digest, invited, new_invitation
from models.people.register import HAS_SOMEBODY, Changed, Founder, Person
from states.grammar.guard import Refused
from states.register.facts import Deed, RegisterEntry, Standing
from states.register.fold import House
from states.register.requests import Verb, Wish
from states.values.fields import Line, Mail, Paragraph
from states.values.plain import Json
from states.vocabulary import ROLE_LABELS, Role

ROOT, SEAL_AT_MOST = re.compile("[0-9a-f]{64}"), 30_000_000
ROLES_HELP = "Un rôle, ou plusieurs : " + ", ".join(
    f"{role.value} ({label})" for role, label in ROLE_LABELS.items() if role is not Role.CLOCK
)


def first(home: Home, name: str, mail: str) -> Page:
    """The first operator, who has nobody to ask, with codes of their own. Raises Invalid, also when the register has somebody."""
    person = Founder(_name(name), _address(mail), (Role.OPERATOR,))
    before = home.register.house()
    if any(member.enrolled for member in before.holding(Role.OPERATOR)):
        raise Invalid(HAS_SOMEBODY)
    secret, period = _drawn(person.name)
    changed = home.register.found([person._replace(secret=secret, period=period)], at=now(), via="jalon")
    page = _done(home, changed, before, {})
    return _listed([home.register.person(person.name)])._replace(beside="".join(page.lines[1:]))


def change(home: Home, wishes: Sequence[Wish], actor: str, code: str | None) -> Page:
    """Do what `actor` wishes, and write the letters that it causes. Raises Invalid, Unreachable."""
    before, at = home.register.house(), now()
    drawn = [new_invitation() for _ in wishes]
    asked = [wish._replace(invitation=invitation_digest(invitation)) for wish, invitation in zip(wishes, drawn, strict=True)]
    shown = Shown(prompted(code, actor), at, source())
    changed = home.register.change(asked, actor=actor, at=at, via="jalon", shown=shown)
    if isinstance(changed, Refused):
        return of_answer(changed)
    return _done(home, changed, before, {invitation_digest(invitation): invitation for invitation in drawn})


def enrol(home: Home, invitation: str | None) -> Page:
    """Draw one's own secret with an invitation. Raises Invalid."""
    typed = invitation if invitation is not None else _typed("Invitation : ")
    name = invited(home.register.house(), invitation_digest(typed), now()).name
    before = home.register.house()
    secret = new_secret()
    _draw(name, secret)
    changed = home.register.enrol(typed, secret, _typed("Premier code : "), at=now(), via="jalon")
    return _done(home, changed, before, {})


def adding(name: str, roles: list[str], mail: str, *, shared_mail: bool) -> Wish:
    """The wish to add a person. Raises Invalid."""
    return Wish(Verb.ADD, _name(name), tuple(_roles(roles)), _address(mail), shared_mail)


class RosterLine(BaseModel):
    """A person in a file of many."""

    model_config = ConfigDict(extra="forbid")

    name: str
    roles: list[str]
    mail: str
    shared_mail: bool = False


def roster(content: dict[str, object]) -> list[Wish]:
    """The wishes to add everybody in a file: `{"people": [{"name", "roles", "mail"}...]}`. Raises Invalid."""
    try:
        lines = TypeAdapter(list[RosterLine]).validate_python(content.get("people"))
    except ValidationError as fault:
        place = fault.errors()[0]["loc"]
        where = f", personne {place[0] + 1}" if place and isinstance(place[0], int) else ""
        raise Invalid(f'Le fichier a la forme {{"people": [{{"name", "roles", "mail"}}...]}} : relisez-le{where}.') from None
    if not lines:
        raise Invalid("Le fichier ne nomme personne.")
    return [_of_roster(number, line) for number, line in enumerate(lines, start=1)]


def _of_roster(number: int, line: RosterLine) -> Wish:
    try:
        return adding(line.name, line.roles, line.mail, shared_mail=line.shared_mail)
    except Invalid as fault:
        raise Invalid(*[f"Personne {number} du fichier : {sentence[:1].lower()}{sentence[1:]}" for sentence in fault.sentences]) from None


def changing(home: Home, name: str, roles: list[str] | None, mail: str | None, *, shared_mail: bool) -> list[Wish]:
    """The wishes that leave a person with just these roles, and this address. Raises Invalid when nothing is to be changed."""
    if not roles and mail is None:
        raise Invalid("Dites ce qui change : --role ou --mail.")
    wanted, held = frozenset(_roles(roles or [])), frozenset(home.register.person(name).roles)
    wishes = [Wish(Verb.ADDRESS, name, mail=_address(mail), shared_mail=shared_mail)] if mail is not None else []
    if roles and (taken := held - wanted):
        wishes.append(Wish(Verb.TAKE, name, tuple(sorted(taken))))
    if roles and (given := wanted - held):
        wishes.append(Wish(Verb.GIVE, name, tuple(sorted(given))))
    if not wishes:
        raise Invalid("Rien ne change : la personne a déjà ces rôles, et eux seuls.")
    return wishes


def witnessing(home: Home, seal: str, witness: str, answer: str, actor: str) -> Wish:
    """The wish to keep what somebody outside has answered, who holds a seal: a file, a letter, or its root. Raises Invalid."""
    from models.verify.received import received  # the proofs: for whoever asks for one
    from models.verify.seals import NoSeal

    try:
        root = (
            seal.strip().lower()
            if ROOT.fullmatch(seal.strip().lower())
            else received(taken(Path(seal), SEAL_AT_MOST, called=f"Le sceau {seal}")).root
        )
    except NoSeal as fault:
        raise Invalid(f"{seal} : {fault}.") from None
    night = home.auditor().nights.night_of(root)
    return Wish(Verb.WITNESS, actor, because=motive(answer), witness=_name(witness), root=root, night=night)


def motive(text: str | None) -> str | None:
    """A reason as it is kept. Raises Invalid."""
    if text is None:
        return None
    try:
        return TypeAdapter(Paragraph).validate_python(text)
    except ValidationError:
        raise Invalid("Le motif est trop long, ou contient des caractères invisibles.") from None


def _done(home: Home, changed: Changed, before: House, invitations: Mapping[str, str]) -> Page:
    """What was written, and the letters that go with it: they follow the commit, and what fails is told."""
    lines = [_sentence(entry) for entry in changed.entries]
    written = 0
    try:
        for letter in letters_of(changed.entries, changed.house, before, invitations):
            post.write(letter, folder=home.settings.mail_dir, sender=home.settings.mail_from)
            written += 1
    except Unreachable as fault:
        lines.append(f"Le registre a changé, mais tous les courriers ne sont pas écrits : {fault}")
    return Page(lines, {"entries": [entry.fields() for entry in changed.entries], "letters": written})


def _sentence(entry: RegisterEntry) -> str:
    role = f" : {role_label(entry.role)}" if entry.role else ""
    waits = f". Une seconde personne donne son accord avec : jalon people agree {entry.n} --as NOM" if entry.deed in ASKED else ""
    return f"{entry.n}. {entry.person}, {Deed(entry.deed).label}{role}{waits}."


ASKED = (Deed.ROLE_ASKED, Deed.INVITATION_ASKED)


def _name(name: str) -> str:
    try:
        return TypeAdapter(Line).validate_python(name)
    except ValidationError:
        raise Invalid("Le nom est vide, trop long, ou contient des caractères invisibles.") from None


def _roles(roles: list[str]) -> list[Role]:
    unknown = [role for role in roles if role not in set(Role) - {Role.CLOCK}]
    if unknown:
        possible = ", ".join(role.value for role in Role if role is not Role.CLOCK)
        raise Invalid(f"Le rôle « {unknown[0][:60]} » n’existe pas ; rôles : {possible}.")
    return [Role(role) for role in roles]


def _address(mail: str) -> str:
    try:
        return TypeAdapter(Mail).validate_python(mail)
    except ValidationError:
        raise Invalid("L’adresse de courriel n’est pas valable.") from None


def _drawn(name: str) -> tuple[str, int]:
    """A secret that its owner has drawn, and the period of the first code that proved it. Raises Invalid."""
    secret = new_secret()
    _draw(name, secret)
    period = period_of(secret, _typed("Premier code : "), now())
    if period is None:
        raise Invalid("Ce premier code n’est pas celui de ce secret : rien n’est écrit, recommencez.")
    return secret, period


def _draw(name: str, secret: str) -> None:
    """Show a secret, once, to whoever sits here: on the error stream, so that no file gets it by a redirection of the answer."""
    drawn = io.StringIO()
    segno.make(provisioning(name, secret), error="m").terminal(drawn, compact=True)
    lines = [
        f"Code à usage unique pour {name} : à scanner maintenant avec une application d’authentification, par la personne elle-même.",
        "Ce dessin ne sera plus montré.",
        "",
        *drawn.getvalue().splitlines(),
        f"Sans appareil photo, tapez ce secret : {secret}",
    ]
    say("\n".join(lines), sys.stderr)


def _typed(question: str) -> str:
    """What somebody types, or what a program writes on our standard input. Raises Invalid when there is nothing."""
    if sys.stdin.isatty():
        return getpass.getpass(question)
    line = sys.stdin.readline(200)
    if not line:
        raise Invalid("L’enrôlement se fait devant un écran : il demande l’invitation, puis un premier code.")
    return line.strip()


def pending(home: Home) -> Page:
    """What waits for a second person."""
    waiting = home.register.house().waiting.values()
    lines = [f"{_sentence(entry)} Demandé par {entry.actor} {wall_time(entry.recorded_at)}." for entry in waiting]
    return Page(lines or ["Rien n’attend une seconde personne."], [entry.fields() for entry in waiting])


def journal(home: Home) -> Page:
    """The journal of the register, from the first entry on."""
    entries = home.register.entries()
    rows = [[str(entry.n), wall_time(entry.recorded_at), entry.person, _told(entry), entry.actor] for entry in entries]
    lines = table(("N°", "Quand", "Qui", "Quoi", "Par"), rows) if rows else ["Le journal du registre est vide."]
    return Page(lines, [entry.fields() for entry in entries])


def _told(entry: RegisterEntry) -> str:
    roles = [entry.role] if entry.role else list(entry.roles or {})
    because = f" ; motif : {entry.because}" if entry.because else ""
    second = f" ; demandé par {entry.proposed_by}" if entry.proposed_by else ""
    if entry.witness:
        return f"{Deed(entry.deed).label} : {entry.witness}, sceau du {entry.night} ; « {entry.because} »"
    return f"{Deed(entry.deed).label}{' : ' if roles else ''}{', '.join(map(role_label, roles))}{second}{because}"


def _listed(people: Sequence[Person]) -> Page:
    lines = [f"{person.name} est au registre : {', '.join(role.label for role in person.roles)}." for person in people]
    return Page(lines, _as_json(people[0]) if len(people) == 1 else [_as_json(person) for person in people])


def _as_json(person: Person) -> dict[str, Json]:
    roles: list[Json] = [role.value for role in person.roles]
    return {"name": person.name, "mail": person.mail, "roles": roles, "standing": person.standing.value}


def list_(home: Home) -> Page:
    """Everybody, with roles and address."""
    people, house = home.register.everyone(), home.register.house()
    fields = [_as_json(person) for person in people]
    if not people:
        return Page(["Le registre est vide : inscrivez le premier exploitant avec « jalon people first »."], fields)
    rows = ([person.name, person.mail, _standing(person, house)] for person in people)
    return Page(table(("Nom", "Courriel", "Rôles"), rows), fields)


def _standing(person: Person, house: House) -> str:
    """« comptable public ; en attente : exploitant ; pas encore enrôlé »."""
    if person.standing is not Standing.PRESENT:
        return person.standing.label
    waiting = [role_label(asked.role) for asked in house.waiting.values() if asked.role and asked.person == person.name]
    member = house.member(person.name)
    parts = [", ".join(role_label(role.value) for role in person.roles)]
    parts += [f"en attente d’une seconde personne : {', '.join(waiting)}"] * bool(waiting)
    parts += ["pas encore enrôlé"] * (member is not None and not member.enrolled)
    return " ; ".join(filter(None, parts))


def demo_code(name: str) -> Page:
    """What the telephone of a person of the exercise would show: their secrets are known, in the demo's own database only."""
    from flows.demo.story import PEOPLE, secret_of

    if name not in PEOPLE.values():
        raise Invalid(f"Les personnes de la démonstration sont : {', '.join(PEOPLE.values())}.")
    code = code_at(secret_of(name), now())
    return Page([code], {"code": code})
