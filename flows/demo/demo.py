"""`jalon demo`: the real convention from the vote to the money, every step a flow run on a Prefect server of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.demo import story
from flows.home import Home
from flows.ports.clock import now
from flows.server import server
from flows.server.credential import speak_as_jalon
from flows.settings import PROJECT, settings
from flows.wording import OUTCOMES, roles_label, short_day, table, wall_time
from models.people.register import Founder
from models.read.history import HistoryLine
from states.journal.entry import Entry
from states.lifecycle import STEPS
from states.values.french import euros
from states.values.plain import legible

if TYPE_CHECKING:
    from flows.demo.play import Play

INTERRUPTED = 130


class Screen(Console):
    """The terminal in colours, where what the story says does nothing but be read."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(legible(item) if isinstance(item, str) else item for item in objects), **options)


def main(*, keep: bool = False, var: Path = PROJECT / "var") -> int:
    """Play the whole story under `var`; 0 when it went as the resolution and the rules say. Stops what it started."""
    console = Screen(highlight=False, soft_wrap=True)
    server.stop_on_signals()
    began = time.monotonic()
    _fresh(var)
    console.print("[bold]jalon : la convention CDG 62 - Université d’Artois, du vote au paiement[/]")
    console.print(
        "Le passé vient de la délibération publique du 9 décembre 2025 ; la suite est un exercice, avec des personnes fictives.\n"
    )
    try:
        with console.status("Démarrage d’un serveur Prefect à part (une dizaine de secondes la première fois)..."):
            context = server.running(var / "demo" / "prefect", template=var / "cache")
            port = context.__enter__()
        try:
            console.print(f"Serveur Prefect prêt sur http://127.0.0.1:{port} ({time.monotonic() - began:.1f} s).\n")
            as_told = _played(console, port, var)
            console.print(f"\nDurée totale : {time.monotonic() - began:.1f} s.")
            if keep:
                console.print(f"Tableau de bord ouvert : http://127.0.0.1:{port}   (Ctrl-C pour arrêter)")
                signal.pause()
        finally:
            context.__exit__(None, None, None)
    except KeyboardInterrupt:
        console.print("\nInterrompu : le serveur de la démonstration est arrêté.")
        return INTERRUPTED
    return 0 if as_told else 1


def _fresh(var: Path) -> None:
    """Begin again from nothing: only what an earlier demo left is taken away."""
    shutil.rmtree(var / "demo", ignore_errors=True)
    shutil.rmtree(var / "mail", ignore_errors=True)


def _played(console: Console, port: int, var: Path) -> bool:
    env = server.environment(var / "demo" / "prefect", port)
    env |= {"JALON_HOME": str(var / "demo"), "JALON_MAIL_DIR": str(var / "mail"), "JALON_CODES": "money"}
    env.pop("JALON_DATABASE_URL", None)
    env.pop("JALON_INBOX", None)
    os.environ.clear()
    os.environ.update(env)  # before Prefect is imported: it reads its settings then
    home = Home(settings(), create=True)
    home.register.found(
        [
            Founder(name, f"{role.value.replace('_', '-')}@exercice.invalid", (role,), story.secret_of(name))
            for role, name in story.PEOPLE.items()
        ],
        at=now(),
        via="demo",
    )
    from flows.demo.play import Play

    speak_as_jalon()
    play = Play(home, console)
    asyncio.run(_whole(play, console))
    _summary(console, home, var)
    return play.as_told and not home.verifier.verify(story.REFERENCE).faults


async def _whole(play: Play, console: Console) -> None:
    console.print("[bold]1. Le passé, repris de la délibération[/]")
    await play.scenes(story.PAST)
    play.findings()
    console.print("\n[bold]2. Exercice : 23 stagiaires fictifs, la formation[/]")
    await play.imported(PROJECT / "docs" / "examples" / name for name in ("stagiaires-une-erreur.ods", "stagiaires.ods"))
    await play.many("verify_residence", story.residences())
    await play.scenes(story.TRAINING)
    console.print("\n[bold]3. Exercice : la facture et l’argent[/]")
    await play.scenes(story.MONEY)


def _summary(console: Console, home: Home, var: Path) -> None:
    dossier = home.views.dossier(story.REFERENCE)
    console.print(f"\n[bold]Chronologie de {story.REFERENCE}[/]")
    console.print("\n".join(_timeline(dossier.history)), markup=False)
    partnership = dossier.partnership
    settlement = partnership.settlement
    console.print("\n[bold]Résultat[/]")
    if settlement is not None and settlement.paid is not None:
        console.print(f"  Payé : {euros(settlement.paid)}, sur {euros(settlement.entitlement)} dus ({dossier.due.amount:.2f} EUR).")
    for line in dossier.due.lines:
        if not line.counted:
            console.print(f"  Stagiaire n° {line.trainee} : {line.status}, {line.reason}.")
    for finding in dossier.findings:
        console.print(f"  Constat {finding.code} : {finding.reason}")
    letters = sorted((var / "mail").glob("*.eml"))
    console.print(f"  {len(letters)} courriers écrits dans {_shown(var / 'mail')}, par exemple {letters[-1].name if letters else '-'}")
    verified = home.verifier.verify(story.REFERENCE)
    verdict = f"{verified.entries} entrées, tête {verified.head[:16]}..." if not verified.faults else " ".join(verified.faults)
    console.print(f"  jalon verify : {'tout se tient' if not verified.faults else 'LE JOURNAL NE TIENT PAS'} ({verdict})")
    console.print("\n[bold]Pour regarder vous-même[/]")
    console.print(f"  Les exécutions dans l’interface de Prefect : make dashboard, puis http://127.0.0.1:{server.USUAL_PORT}")
    console.print(f"  Le dossier : JALON_HOME={_shown(var / 'demo')} .venv/bin/jalon show {story.REFERENCE}")


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _timeline(history: list[HistoryLine]) -> list[str]:
    """One line for each step; the same step done many times in a row by one person takes one line."""

    def same(entry: Entry) -> tuple[str, str, str, str]:
        return entry.trigger, entry.outcome, entry.actor, entry.effective_on if entry.is_done else entry.key

    rows = [_row(list(entries)) for _, entries in groupby((line.entry for line in history), same)]
    return table(("Date", "Saisi le", "Étape", "Résultat", "Qui", "Exécution Prefect"), rows)


def _row(entries: list[Entry]) -> list[str]:
    first, run = entries[0], entries[0].key.removeprefix("prefect:")
    times = f" × {len(entries)}" if len(entries) > 1 else ""
    return [
        short_day(first.effective_on),
        wall_time(first.recorded_at),
        STEPS[first.trigger].label + times,
        OUTCOMES[first.outcome],
        f"{first.actor} ({roles_label(first)})",
        f"{run} et {len(entries) - 1} autres" if times else run,
    ]
