"""The commands of the register of people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from cyclopts import App, Group, Parameter

from flows.cli import registering, screen
from flows.cli.asking import JSON, request_file
from flows.cli.usage import new_app
from flows.home import Home
from states.register.requests import Verb, Wish

ROLES = Annotated[list[str], Parameter(name="--role", metavar="RÔLE", help=registering.ROLES_HELP, negative="", consume_multiple=True)]
MORE_ROLES = Annotated[
    list[str] | None, Parameter(name="--role", metavar="RÔLE", help="Les rôles, à la place des anciens", negative="", consume_multiple=True)
]
NEW_MAIL = Annotated[str | None, Parameter(name="--mail", metavar="ADRESSE", help="La nouvelle adresse")]
MAIL = Annotated[str, Parameter(name="--mail", metavar="ADRESSE", help="Adresse de courriel")]
SHARED = Annotated[
    bool, Parameter(name="--shared-mail", negative="", show_default=False, help="Cette adresse est aussi celle d’une autre personne")
]
ACTOR = Annotated[str, Parameter(name="--as", metavar="NOM", help="L’exploitant (ou l’ordonnateur) qui agit")]
CODE = Annotated[str | None, Parameter(name="--code", metavar="CODE", help="Son code à usage unique ; demandé sinon")]
BECAUSE = Annotated[str, Parameter(name="--because", metavar="TEXTE", help="Le motif")]
WHY = Annotated[str | None, Parameter(name="--because", metavar="TEXTE", help="Le motif, s’il faut le garder")]
SEAL = Annotated[str, Parameter(name="--seal", metavar="FICHIER", help="Le sceau qu’il tient : courrier, fichier, ou racine")]
ANSWER = Annotated[str, Parameter(name="--answer", metavar="TEXTE", help="Sa réponse, en ses mots")]
INVITATION = Annotated[str | None, Parameter(metavar="INVITATION", help="L’invitation reçue par courrier ; demandée sinon")]
NUMBERS = Annotated[list[int], Parameter(metavar="N°", help="Les numéros que donne « jalon people pending »")]
FILE = Annotated[str, Parameter(metavar="FICHIER", allow_leading_hyphen=True, help="Fichier JSON, ou - pour l’entrée standard")]
NUMBER = Annotated[int, Parameter(metavar="N°", help="Le numéro que donne « jalon people pending »")]


def people(home: Callable[[], Home], new_home: Callable[[], Home], group: Group) -> App:
    """`jalon people ...`; `new_home` makes the database where there is none."""
    app = new_app("people", "Tenir le registre des personnes : qui peut agir, et comment il l’a pu.", group=group)
    for commands in (_of_the_line(home, new_home), _of_two(home), _of_presence(home), _of_reading(home)):
        for name, command in commands.items():
            app.command(command, name=name)
    return app


def _of_the_line(home: Callable[[], Home], new_home: Callable[[], Home]) -> dict[str, Callable[..., int]]:
    """Who is there, where mail reaches them, in which roles."""

    def first(name: str, *, mail: MAIL, as_json: JSON = False) -> int:
        """Inscrire le premier exploitant, une fois, au début : il enrôle son téléphone tout de suite."""
        return screen.show(registering.first(new_home(), name, mail), as_json=as_json)

    def add(
        name: str, *, role: ROLES, mail: MAIL, person: ACTOR, code: CODE = None, shared_mail: SHARED = False, as_json: JSON = False
    ) -> int:
        """Ajouter une personne, avec un rôle ou plusieurs ; un rôle qui touche à l’argent attend une seconde personne."""
        wish = registering.adding(name, role, mail, shared_mail=shared_mail)
        return screen.show(registering.change(home(), [wish], person, code), as_json=as_json)

    def change(
        name: str,
        *,
        person: ACTOR,
        role: MORE_ROLES = None,
        mail: NEW_MAIL = None,
        code: CODE = None,
        shared_mail: SHARED = False,
        as_json: JSON = False,
    ) -> int:
        """Changer les rôles ou l’adresse d’une personne."""
        here = home()
        wishes = registering.changing(here, name, role, mail, shared_mail=shared_mail)
        return screen.show(registering.change(here, wishes, person, code), as_json=as_json)

    def roster(file: FILE, *, person: ACTOR, code: CODE = None, as_json: JSON = False) -> int:
        """Ajouter toutes les personnes d’un fichier JSON, avec un seul code."""
        return screen.show(registering.change(home(), registering.roster(request_file(file)), person, code), as_json=as_json)

    return {"first": first, "add": add, "roster": roster, "change": change}


def _of_two(home: Callable[[], Home]) -> dict[str, Callable[..., int]]:
    """Invitations, and what takes two persons."""

    def invite(name: str, *, person: ACTOR, code: CODE = None, as_json: JSON = False) -> int:
        """Inviter une personne à enrôler son téléphone : un courrier part, qui sert une fois, pendant 72 heures."""
        return screen.show(registering.change(home(), [Wish(Verb.INVITE, name)], person, code), as_json=as_json)

    def enrol(invitation: INVITATION = None, *, as_json: JSON = False) -> int:
        """Enrôler son propre téléphone, avec l’invitation reçue : le secret n’est montré qu’ici, une fois."""
        return screen.show(registering.enrol(home(), invitation), as_json=as_json)

    def agree(numbers: NUMBERS, /, *, person: ACTOR, code: CODE = None, as_json: JSON = False) -> int:
        """Donner son accord, en seconde personne, à ce qui attend sous un ou plusieurs numéros."""
        here = home()
        return screen.show(
            registering.change(here, [_answering(here, Verb.AGREE, number) for number in numbers], person, code), as_json=as_json
        )

    def decline(number: NUMBER, *, person: ACTOR, because: WHY = None, code: CODE = None, as_json: JSON = False) -> int:
        """Écarter ce qui attend sous un numéro."""
        wish = _answering(home(), Verb.DECLINE, number)._replace(because=registering.motive(because))
        return screen.show(registering.change(home(), [wish], person, code), as_json=as_json)

    return {"invite": invite, "enrol": enrol, "agree": agree, "decline": decline}


def _of_presence(home: Callable[[], Home]) -> dict[str, Callable[..., int]]:
    """Who may not act for a time, or no more."""

    def suspend(name: str, *, because: BECAUSE, person: ACTOR, code: CODE = None, as_json: JSON = False) -> int:
        """Suspendre une personne : elle n’agit plus, jusqu’à ce qu’on la rétablisse."""
        wish = Wish(Verb.SUSPEND, name, because=registering.motive(because))
        return screen.show(registering.change(home(), [wish], person, code), as_json=as_json)

    def resume(name: str, *, person: ACTOR, code: CODE = None, as_json: JSON = False) -> int:
        """Rétablir une personne suspendue."""
        return screen.show(registering.change(home(), [Wish(Verb.RESUME, name)], person, code), as_json=as_json)

    def leave(name: str, *, person: ACTOR, because: WHY = None, code: CODE = None, as_json: JSON = False) -> int:
        """Consigner un départ : la personne n’agit plus, son histoire reste."""
        wish = Wish(Verb.LEAVE, name, because=registering.motive(because))
        return screen.show(registering.change(home(), [wish], person, code), as_json=as_json)

    return {"suspend": suspend, "resume": resume, "leave": leave}


def _of_reading(home: Callable[[], Home]) -> dict[str, Callable[..., int]]:
    """What shows the register, and keeps what witnesses say of it."""

    def list_(*, as_json: JSON = False) -> int:
        """Lister les personnes."""
        return screen.show(registering.list_(home()), as_json=as_json)

    def pending(*, as_json: JSON = False) -> int:
        """Montrer ce qui attend une seconde personne."""
        return screen.show(registering.pending(home()), as_json=as_json)

    def journal(*, as_json: JSON = False) -> int:
        """Montrer le journal du registre : qui a donné quel rôle, et quand."""
        return screen.show(registering.journal(home()), as_json=as_json)

    def witness(name: str, *, seal: SEAL, answer: ANSWER, person: ACTOR, code: CODE = None, as_json: JSON = False) -> int:
        """Consigner ce qu’une personne du dehors a répondu, qui tient le sceau d’une nuit."""
        here = home()
        wish = registering.witnessing(here, seal, name, answer, person)
        return screen.show(registering.change(here, [wish], person, code), as_json=as_json)

    return {"list": list_, "pending": pending, "journal": journal, "witness": witness}


def _answering(home: Home, verb: Verb, number: int) -> Wish:
    """The wish that answers what waits under a number; about nobody when nothing does, which is then refused."""
    asked = home.register.house().waiting.get(number)
    return Wish(verb, asked.person if asked is not None else "", answers=number)
