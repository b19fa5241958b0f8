"""The register of people, from the command line."""

from __future__ import annotations

import io

import segno
from pydantic import TypeAdapter, ValidationError

from flows.cli.screen import Page
from flows.home import Home
from flows.ports.clock import now
from flows.wording import role_label, table
from models.answers import Invalid
from models.people.codes import code_at, new_secret, provisioning
from models.people.register import Person
from states.values.fields import Line, Mail
from states.values.plain import Json
from states.vocabulary import ROLE_LABELS, Role

ROLES_HELP = "Un rôle, ou plusieurs : " + ", ".join(
    f"{role.value} ({label})" for role, label in ROLE_LABELS.items() if role is not Role.CLOCK
)


def add(home: Home, name: str, roles: list[str], mail: str) -> Page:
    """Add a person to the register. Raises Invalid for an unknown role, a bad address or a name that is taken."""
    try:
        clean = TypeAdapter(Line).validate_python(name)
    except ValidationError:
        raise Invalid("Le nom est vide, trop long, ou contient des caractères invisibles.") from None
    secret = new_secret()
    return _enrolled(home.register.add(clean, _address(mail), _roles(roles), secret), secret)


def enrol(home: Home, name: str) -> Page:
    """A new secret for somebody whose telephone is lost, or who typed too many wrong codes. Raises Invalid."""
    secret = new_secret()
    return _enrolled(home.register.enrol(name, secret), secret)


def change(home: Home, name: str, roles: list[str] | None, mail: str | None) -> Page:
    """Change the roles or the address of a person. Raises Invalid as `add` does, and when nothing is to be changed."""
    if not roles and mail is None:
        raise Invalid("Dites ce qui change : --role ou --mail.")
    return _page(home.register.change(name, mail=_address(mail) if mail is not None else None, roles=_roles(roles) if roles else None))


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


def _page(person: Person) -> Page:
    return Page([f"{person.name} est au registre : {', '.join(role.label for role in person.roles)}."], _as_json(person))


def _as_json(person: Person) -> dict[str, Json]:
    return {"name": person.name, "mail": person.mail, "roles": [role.value for role in person.roles]}


def _enrolled(person: Person, secret: str) -> Page:
    """The person, and once only the QR code of the secret: it is shown nowhere else."""
    page, address = _page(person), provisioning(person.name, secret)
    drawn = io.StringIO()
    segno.make(address, error="m").terminal(drawn, compact=True)
    lines = [
        *page.lines,
        "",
        f"Code à usage unique pour {person.name} : à scanner maintenant avec une application d’authentification,",
        "par la personne elle-même. Ce dessin ne sera plus montré (jalon people enrol en donne un autre).",
        "",
        *drawn.getvalue().splitlines(),
        f"Sans appareil photo, tapez ce secret : {secret}",
    ]
    return page._replace(lines=lines, json={**page.json, "otpauth": address})


def list_(home: Home) -> Page:
    """Everybody, with roles and address."""
    people = home.register.everyone()
    fields = [_as_json(person) for person in people]
    if not people:
        return Page(["Le registre est vide : ajoutez quelqu’un avec « jalon people add »."], fields)
    rows = ([person.name, person.mail, ", ".join(role_label(role.value) for role in person.roles)] for person in people)
    return Page(table(("Nom", "Courriel", "Rôles"), rows), fields)


def demo_code(name: str) -> Page:
    """What the telephone of a person of the exercise would show: their secrets are known, in the demo's own database only."""
    from flows.demo.story import PEOPLE, secret_of

    if name not in PEOPLE.values():
        raise Invalid(f"Les personnes de la démonstration sont : {', '.join(PEOPLE.values())}.")
    code = code_at(secret_of(name), now())
    return Page([code], {"code": code})
