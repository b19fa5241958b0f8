"""`jalon backup` and `jalon restore`, as they are typed."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flows.cli import screen
from flows.cli.asking import JSON
from flows.settings import settings

OUTPUT = Annotated[str, Parameter(name=["--output", "-o"], metavar="FICHIER", help="Le fichier à écrire ; il ne doit pas exister")]
BACKUP = Annotated[str, Parameter(metavar="FICHIER", help="Le fichier que « jalon backup » a écrit")]
INTO = Annotated[str, Parameter(name="--into", metavar="DOSSIER", help="Un dossier vide ou nouveau, qui sera le JALON_HOME")]
SEAL = Annotated[
    list[str] | None,
    Parameter(
        name="--seal",
        metavar="FICHIER",
        negative="",
        consume_multiple=True,
        help="Des sceaux de nuits que d’autres ont gardés : ils disent si la sauvegarde est la vôtre, et ce qu’elle n’a pas",
    ),
]
PROMISED = Annotated[
    str | None, Parameter(name="--digest", metavar="EMPREINTE", help="L’empreinte que « jalon backup » a donnée : rien d’autre n’est pris")
]
DESPITE = Annotated[
    bool,
    Parameter(
        name="--despite-faults",
        negative="",
        show_default=False,
        help="Mettre en place même un registre dont une preuve ne tient pas (code 3) ; un fichier abîmé ne l’est jamais",
    ),
]


def backup(*, output: OUTPUT, as_json: JSON = False) -> int:
    """Sauvegarder le registre, les sceaux, les courriers et les documents, pendant que d’autres y écrivent (données personnelles)."""
    from flows.cli.saving import saved  # zipfile, and the proof of the ledger: not for a step

    return screen.show(saved(settings(), output), as_json=as_json)


def restore(
    file: BACKUP, *, into: INTO, seal: SEAL = None, digest: PROMISED = None, despite_faults: DESPITE = False, as_json: JSON = False
) -> int:
    """Restaurer une sauvegarde dans un dossier vide (et une base PostgreSQL vide), une fois vérifiée tout entière."""
    from flows.cli.restoring import Wanted, restored

    return screen.show(restored(settings(), Wanted(file, into, tuple(seal or ()), digest, despite_faults)), as_json=as_json)
