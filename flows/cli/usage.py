"""How the command line presents itself and what it says, in French, when it is not understood."""

from __future__ import annotations

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts import exceptions as faults
from cyclopts.help import ColumnSpec, DefaultFormatter, DescriptionRenderer, HelpEntry, NameRenderer
from cyclopts.help.specs import AsteriskColumn
from rich.console import Console, ConsoleOptions, RenderableType

HELP = "Suit chaque partenariat entre un centre de gestion et une université, du vote au paiement."


def _described(entry: HelpEntry) -> RenderableType:
    """The description alone: what cyclopts would add to it is English, and the star says « obligatoire »."""
    return DescriptionRenderer()(entry.copy(required=False))


def _columns(console: Console, options: ConsoleOptions, entries: list[HelpEntry]) -> tuple[ColumnSpec, ...]:  # noqa: ARG001 - cyclopts gives all three
    widest = console.width * 35 // 100
    named = ColumnSpec(renderer=NameRenderer(max_width=widest), style="cyclopts.name", max_width=widest)
    described = ColumnSpec(renderer=_described, overflow="fold")
    return (AsteriskColumn, named, described) if any(entry.required for entry in entries) else (named, described)


def new_app(name: str = "jalon", text: str = HELP, group: Group | None = None) -> App:
    """An app whose headings are French."""
    app = App(
        name=name,
        help=text,
        group=group,
        help_format="plaintext",
        help_formatter=DefaultFormatter(column_specs=_columns),
        default_parameter=Parameter(metavar="TEXTE"),
        usage=f"Usage: {'jalon' if name == 'jalon' else f'jalon {name}'} COMMANDE [OPTIONS]",
        version_flags=[],
        suppress_keyboard_interrupt=False,  # cyclopts would end without a word
        group_arguments=Group("Arguments"),
        group_parameters=Group("Options"),
        group_commands=Group("Commandes"),
        help_epilogue="* obligatoire. Codes de retour : 0 fait, 2 commande mal écrite, 3 refusé, 4 déjà fait, 5 injoignable.",
    )
    app["--help"].help = "Afficher cette aide."
    return app


# What a command takes as a plain word, without its option.
PLAIN_WORDS = {"--reference": "la référence du dossier", "--trigger": "l’étape", "--name": "le nom", "--file": "le fichier"}


def sentence(fault: CycloptsError) -> str:
    """One French sentence for what the command line did not understand."""
    word = (fault.unused_tokens or ["?"])[0][:60]
    name = fault.argument.name if fault.argument else "?"
    name = PLAIN_WORDS.get(name, name)
    match fault:
        case faults.UnknownOptionError():
            said = f"L’option {(fault.token.keyword or fault.token.value)[:60]} n’existe pas pour cette commande"
        case faults.UnknownCommandError():
            return f"La commande « {word} » n’existe pas ; « jalon --help » les donne toutes."
        case faults.MissingArgumentError():
            said = f"Il manque une valeur à l’option {name}" if fault.keyword else f"Il manque {name}"
        case faults.CoercionError():
            said = f"{name} : « {fault.token.value[:60] if fault.token else '?'} » n’est pas un nombre entier"
        case faults.RepeatArgumentError():
            said = f"L’option {fault.token.keyword} est donnée deux fois"
        case faults.UnusedCliTokensError():
            said = f"« {word} » est de trop"
        case _:
            said = "La commande n’est pas comprise"
    return f"{said} ; voyez « --help »."
