"""How the command line presents itself and what it says, in French, when it is not understood."""

from __future__ import annotations

from cyclopts import App, CycloptsError, Group
from cyclopts import exceptions as told

HELP = "Suit chaque partenariat entre un centre de gestion et une université, du vote au paiement."


def new_app(name: str = "jalon", text: str = HELP, group: Group | None = None) -> App:
    """An app whose headings are French."""
    app = App(
        name=name,
        help=text,
        group=group,
        help_format="plaintext",
        usage=f"Usage: {'jalon' if name == 'jalon' else f'jalon {name}'} COMMANDE [OPTIONS]",
        version_flags=[],
        group_arguments=Group("Arguments"),
        group_parameters=Group("Options"),
        group_commands=Group("Commandes"),
        help_epilogue="Codes de retour : 0 fait, 2 commande mal écrite, 3 refusé, 4 quelqu’un a été plus rapide, 5 injoignable.",
    )
    app["--help"].help = "Afficher cette aide."
    return app


def sentence(fault: CycloptsError) -> str:
    """One French sentence for what the command line did not understand."""
    match fault:
        case told.UnknownOptionError():
            return f"L’option {fault.token.keyword or fault.token.value} n’existe pas pour cette commande ; voyez « --help »."
        case told.UnknownCommandError():
            word = (fault.unused_tokens or ["?"])[0]
            return f"La commande « {word[:60]} » n’existe pas ; « jalon --help » les donne toutes."
        case told.MissingArgumentError():
            name = fault.argument.name if fault.argument else "?"
            return f"Il manque {f'une valeur à l’option {name}' if fault.keyword else f'{name}'} ; voyez « --help »."
        case told.CoercionError():
            value = fault.token.value if fault.token else "?"
            name = fault.argument.name if fault.argument else "?"
            return f"{name} : « {value[:60]} » n’est pas un nombre entier."
        case told.RepeatArgumentError():
            return f"L’option {fault.token.keyword} est donnée deux fois."
        case told.UnusedCliTokensError():
            return f"« {(fault.unused_tokens or ['?'])[0][:60]} » est de trop ; voyez « --help »."
    return "La commande n’est pas comprise ; voyez « jalon --help »."
