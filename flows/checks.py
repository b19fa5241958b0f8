"""What runs after each step and each night: the chain verifies, amounts are recomputed, findings are refreshed."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State as RunState
from prefect.states import Completed, Failed

from flows.checking import check
from flows.home import shared_home
from flows.settings import settings
from models.answers import Invalid
from models.faults import Unreachable
from states.french import counted


@flow(name="checks", flow_run_name="{reference}", description="Vérifie un dossier : journal, données, droit à subvention, constats.")
async def checks(reference: str) -> RunState[None]:
    """Check one dossier. A broken one ends as `Broken`, in French; a check changes nothing but the findings."""
    try:
        checked = check(shared_home(settings()), reference)
    except (Invalid, Unreachable) as fault:
        return Failed(name=type(fault).__name__, message=str(fault))
    return Completed(message=checked.message) if checked.holds else Failed(name="Broken", message=checked.message)


@flow(name="nightly_verification", description="Vérifie chaque dossier, chaque nuit.")
async def nightly_verification() -> RunState[None]:
    """Verify every dossier in one run."""
    try:
        verified = shared_home(settings()).verifier.verify_all()
    except Unreachable as fault:
        return Failed(name="Unreachable", message=str(fault))
    broken = [f"{one.reference} : {' '.join(one.faults)}" for one in verified if one.faults]
    if broken:
        return Failed(name="Broken", message=" ".join(broken))
    entries = counted(sum(one.entries for one in verified), "entrée", "entrées")
    return Completed(message=f"{counted(len(verified), 'dossier vérifié', 'dossiers vérifiés')}, {entries}.")
