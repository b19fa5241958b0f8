"""Every command of `jalon`: the steps of the table, what reads the ledger, the register and the tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Group, Parameter

from flows.cli import asking, reading, registering, screen, verifying
from flows.cli.asking import JSON, PERSON
from flows.cli.backing import backup, restore
from flows.cli.people_commands import people
from flows.cli.usage import new_app, sentence
from flows.home import Home
from flows.settings import settings
from models.answers import Invalid
from models.ledger import codec  # noqa: F401 - a fact that no table keeps stops every command, not only those that write
from models.tables import SCHEMA
from states.lifecycle import OPENING, ROWS, STEPS
from states.overview.table import mermaid
from states.vocabulary import UnsoundTable

STEPS_OF_A_DOSSIER, RECORDINGS, READING, TOOLS = (
    Group(title, sort_key=place) for place, title in enumerate(("Étapes d’un dossier", "Faits consignés", "Lire", "Registre et outils"))
)
FOR_PERSON = Annotated[str | None, Parameter(name="--as", metavar="NOM", help="Ce qui manque pour cette personne")]
ACTING = Annotated[str | None, Parameter(name="--as", metavar="NOM", help="Qui agit : un nom du registre des personnes")]
ON = Annotated[str | None, Parameter(name="--on", metavar="DATE", help="Selon les conditions en vigueur ce jour-là (AAAA-MM-JJ)")]
WHAT_IF = Annotated[
    list[str] | None,
    Parameter(
        name="--what-if",
        metavar="NOM=VALEUR",
        consume_multiple=True,
        negative="",
        help="Supposer, sans rien enregistrer : trainees=21 (en tout), trainees=+3 (de plus), cap=22, rate=1800...",
    ),
]
GOOD_LINES = Annotated[
    bool,
    Parameter(
        name="--good-lines",
        negative="--all-or-nothing",
        show_default=False,
        help="Prendre les bonnes lignes et laisser les autres (sinon, tout ou rien)",
    ),
]
TEMPLATE = Annotated[str | None, Parameter(name="--template", metavar="FICHIER", help="Écrire un tableau vide, avec ses listes de choix")]
NEW = Annotated[
    str | None, Parameter(name="--new-reference", metavar="TEXTE", help="Référence du nouveau dossier (sinon, l’année suivante)")
]
YES = Annotated[
    bool, Parameter(name="--yes", negative="", show_default=False, help="J’ai copié la base PostgreSQL, comme jalon le demande")
]
KEEP = Annotated[bool, Parameter(name="--keep", negative="", help="Laisser le serveur ouvert à la fin, jusqu’à Ctrl-C")]
CODE_OF = Annotated[
    str | None,
    Parameter(name="--code", metavar="NOM", help="Dire le code à usage unique d’une personne de la démonstration, sans rien dérouler"),
]
AFTER = Annotated[str, Parameter(name="--after", metavar="RÉFÉRENCE", show_default=False, help="Commencer après cette référence")]
MOST = Annotated[
    int | None,
    Parameter(name="--most", metavar="NOMBRE", show_default=False, help="Combien de dossiers au plus (100 sinon ; tous avec --json seul)"),
]
FOLDER = Annotated[str | None, Parameter(name="--home", metavar="DOSSIER", help="Dossier de Prefect (par défaut, celui de jalon)")]
HOST = Annotated[
    str | None,
    Parameter(name="--host", metavar="ADRESSE", help="Adresse d’écoute (par défaut, celle qui tourne, ou cette machine seule : 127.0.0.1)"),
]
DESK_PORT = Annotated[
    int | None, Parameter(name="--port", metavar="NOMBRE", help="Port (par défaut, celui d’avant, ou 4200, ou un port libre)")
]
WORKERS = Annotated[
    int | None, Parameter(name="--workers", metavar="NOMBRE", help="Nombre de workers (par défaut, comme avant, ou un seul)")
]
PORT = Annotated[int | None, Parameter(name="--port", metavar="NOMBRE", help="Port (par défaut, un port libre)")]


def run_app(words: Sequence[str]) -> int:
    """Parse and run. Raises Invalid for words that no command understands."""
    first, *rest = words or ["--help"]
    if first.replace("-", "_") in STEPS:
        first = first.replace("-", "_")  # receive-invoice is receive_invoice
    try:
        answer = app()([first, *rest], exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as fault:
        raise Invalid(sentence(fault)) from None
    return int(answer or 0)


def app() -> App:
    """The whole command line, made from the table. Raises UnsoundTable where a step bears the name of another command."""
    root = new_app()
    for reads in (show, why, trainees, entitlement, acts, list_, diagram, schema):
        root.command(reads, name=reads.__name__.rstrip("_"), group=READING)
    root.command(verifying.command(_home), name="verify", group=READING)
    root.command(people(_home, _new_home, TOOLS))
    imports = new_app("import", "Importer un tableau.", group=TOOLS)
    imports.command(import_trainees, name="trainees")
    root.command(imports)
    for tool in (renew, deliver, init_db, upgrade, backup, restore, up, down, doctor, demo, dashboard, bench):
        root.command(tool, name=tool.__name__.replace("_", "-"), group=TOOLS)
    others = {*root}
    for place, step in enumerate(ROWS):
        if step.trigger.replace("_", "-") in others:
            raise UnsoundTable(f"L’étape '{step.trigger}' porte le nom d’une autre commande de jalon.")
        asked = asking.open_command(_home) if step.opens else asking.command_of(step, _home)
        root.command(asked, name=step.trigger, group=RECORDINGS if step.is_recording else STEPS_OF_A_DOSSIER, sort_key=place)
    return root


def _home() -> Home:
    return Home(settings())


def _new_home() -> Home:
    return Home(settings(), create=True)


def show(reference: str, *, as_json: JSON = False) -> int:
    """Montrer un dossier : état, conditions, droit à subvention, constats, stagiaires, historique."""
    return screen.show(reading.show(_home(), reference), as_json=as_json)


def why(reference: str, trigger: str | None = None, *, person: FOR_PERSON = None, as_json: JSON = False) -> int:
    """Dire ce qui peut venir ensuite, et tout ce qui manque pour cela."""
    return screen.show(reading.why(_home(), reference, trigger, person), as_json=as_json)


def trainees(reference: str, *, as_json: JSON = False) -> int:
    """Montrer qui sont les stagiaires, par numéro (données personnelles : à ne pas diffuser)."""
    return screen.show(reading.trainees(_home(), reference), as_json=as_json)


def entitlement(reference: str, *, on: ON = None, what_if: WHAT_IF = None, as_json: JSON = False) -> int:
    """Calculer le droit à subvention, stagiaire par stagiaire, tel qu’il est ou tel qu’il serait."""
    from flows.cli.supposing import entitled

    return screen.show(entitled(_home(), reference, on=on, suppositions=what_if or ()), as_json=as_json)


def acts(reference: str, *, as_json: JSON = False) -> int:
    """Montrer les délibérations d’un dossier : transmission, publication, caractère exécutoire, délais de recours."""
    from flows.cli import deliberations  # public holidays take a while to load

    return screen.show(deliberations.acts(_home(), reference), as_json=as_json)


def list_(*, after: AFTER = "", most: MOST = None, as_json: JSON = False) -> int:
    """Lister les dossiers, par référence ; la dernière ligne dit combien il en reste et comment les voir."""
    return screen.show(reading.list_(_home(), after=after, most=most, as_json=as_json), as_json=as_json)


def diagram(*, as_json: JSON = False) -> int:
    """Dessiner le cycle de vie (mermaid)."""
    return screen.show(screen.Page([mermaid()], {"mermaid": mermaid()}), as_json=as_json)


def schema(trigger: str, *, as_json: JSON = False) -> int:
    """Donner le schéma JSON de ce qu’une étape demande."""
    return screen.show(asking.schema_of(trigger), as_json=as_json)


def import_trainees(
    reference: str | None = None,
    file: str | None = None,
    *,
    person: ACTING = None,
    good_lines: GOOD_LINES = False,
    template: TEMPLATE = None,
    as_json: JSON = False,
) -> int:
    """Retenir les stagiaires d’un tableau (XLSX, ODS, CSV) : tous, ou aucun si une ligne est mauvaise."""
    if template is not None:
        from flows.intake.sheet_template import write_template

        write_template(Path(template))
        return screen.show(screen.Page([f"Le tableau vide est dans {template}."], {"template": template}), as_json=as_json)
    if reference is None or file is None or person is None:
        raise Invalid("Il faut la référence du dossier, le fichier et --as NOM ; voyez « jalon import trainees --help ».")
    from flows.cli.importing import page
    from flows.intake.trainees import imported

    return screen.show(page(imported(_home(), reference, Path(file), person=person, good_lines=good_lines)), as_json=as_json)


def renew(reference: str, *, person: PERSON, new: NEW = None, as_json: JSON = False) -> int:
    """Ouvrir le dossier de l’année suivante, avec les parties et les conditions de celui-ci."""
    from flows.cli.renewing import renewed

    home = _home()
    request = asking.read_request(OPENING, renewed(home.views.partnership(reference), new))
    opened = str(getattr(request, "reference", ""))
    return screen.show(asking.ask(home, OPENING, opened, request, person=person, key=None, seen=None), as_json=as_json)


def init_db(*, as_json: JSON = False) -> int:
    """Créer la base, si elle n’existe pas encore."""
    url = _new_home().store.url.render_as_string()
    return screen.show(screen.Page([f"La base est prête : {url}."], {"database": url}), as_json=as_json)


def upgrade(*, yes: YES = False, as_json: JSON = False) -> int:
    """Reprendre la base d’un jalon d’avant, avec ses données (une base SQLite est d’abord copiée à côté)."""
    home = Home(settings(), agreed=yes)
    done = home.store.upgraded
    answer = {"schema": SCHEMA, "from": done.schema if done else SCHEMA, "copy": str(done.copy) if done and done.copy else None}
    return screen.show(screen.Page(["C’est fait." if done else f"La base est déjà du schéma {SCHEMA}."], answer), as_json=as_json)


def deliver(*, as_json: JSON = False) -> int:
    """Distribuer les courriers et faire les contrôles qui attendent (une ronde de Prefect le fait aussi, chaque minute)."""
    from flows.cli.delivering import delivered  # asyncio and the words of letters: not for a step

    return screen.show(delivered(_home()), as_json=as_json)


def up(*, host: HOST = None, port: DESK_PORT = None, workers: WORKERS = None) -> int:
    """Démarrer Prefect pour de bon : serveur, worker, formulaires et rondes ; ce qui tourne déjà reste."""
    from flows.server import up as desk

    return desk.up(host=host, port=port, workers=workers)


def down() -> int:
    """Arrêter ce que « jalon up » a démarré."""
    from flows.server import up as desk

    return desk.down()


def doctor(*, as_json: JSON = False) -> int:
    """Examiner l’installation : base, journal, Prefect, rondes, dossiers du disque ; dire que faire."""
    from flows.cli.doctor import examined

    return screen.show(examined(settings()), as_json=as_json)


def demo(*, keep: KEEP = False, code: CODE_OF = None) -> int:
    """Dérouler la convention réelle du vote au paiement, sur un serveur Prefect à part."""
    if code is not None:
        return screen.show(registering.demo_code(code), as_json=False)
    from flows.demo.demo import main  # Prefect takes more than a second to import

    return main(keep=keep)


def dashboard(*, home: FOLDER = None, port: PORT = None) -> int:
    """Ouvrir l’interface de Prefect sur les exécutions passées ; Ctrl-C l’arrête."""
    from flows.server.server import serve

    return serve(home, port)


def bench(*, as_json: JSON = False) -> int:
    """Mesurer la vitesse, en rapports à l’intérieur d’une même exécution."""
    from flows.bench.bench import main

    return main(as_json=as_json)
