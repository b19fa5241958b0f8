"""The command `jalon verify`: what it may be asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli import screen
from flows.cli.asking import JSON
from flows.home import Home
from models.answers import Invalid

DIGEST = Annotated[str | None, Parameter(name="--digest", metavar="EMPREINTE", help="Chercher l’empreinte qu’un courrier porte")]
SEAL = Annotated[
    str | None, Parameter(name="--seal", metavar="FICHIER", help="Comparer un sceau reçu : le courrier, le fichier joint, ou un chemin")
]
PATH = Annotated[
    str | None,
    Parameter(name="--path", metavar="FICHIER", help="Écrire le chemin du dossier à la racine du dernier sceau, sans les autres"),
]
LAW = Annotated[
    bool, Parameter(name="--law", negative="", show_default=False, help="Décider aussi chaque entrée à nouveau, sous la loi de son numéro")
]


def command(home: Callable[[], Home]) -> Callable[..., int]:
    """The command, on the house that `home` opens."""

    def verify(
        reference: str | None = None,
        *,
        digest: DIGEST = None,
        law: LAW = False,
        seal: SEAL = None,
        path: PATH = None,
        as_json: JSON = False,
    ) -> int:
        """Vérifier la chaîne, les données, les courriers et les sceaux d’un dossier, ou de tous."""
        from flows.cli import proving  # the proofs: not for a step

        if seal is not None:
            return screen.show(proving.compared(home(), Path(seal)), as_json=as_json)
        if reference is None and (digest is not None or path is not None):
            raise Invalid(f"Avec {'--digest' if digest is not None else '--path'}, il faut la référence du dossier.")
        if reference is not None and path is not None:
            return screen.show(proving.path_of(home(), reference, Path(path)), as_json=as_json)
        if reference is not None and digest is not None:
            return screen.show(proving.witnessed(home(), reference, digest, law=law), as_json=as_json)
        return screen.show(proving.verify(home(), reference, law=law), as_json=as_json)

    return verify
