"""What runs after each step and each night: the chain verifies, amounts are recomputed, findings are refreshed."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State as RunState
from prefect.states import Completed, Failed

from flows.home import Home, shared_home
from flows.ports.clock import now
from flows.settings import settings
from models.answers import Invalid
from models.people import CLOCK
from models.store import Unreachable
from states import findings
from states.calculation import entitlement
from states.french import euros
from states.lifecycle import GUARDS
from states.requests import Review


@flow(
    name="checks", description="Vérifie un dossier : chaîne du journal, données, droit à subvention, constats.", flow_run_name="{reference}"
)
async def checks(reference: str) -> RunState[None]:
    """Verify one dossier. A broken one ends as `Broken`, in French; what it finds changes nothing but the findings."""
    try:
        return _checked(shared_home(settings()), reference)
    except (Invalid, Unreachable) as fault:
        return Failed(name=type(fault).__name__, message=str(fault))


def _checked(home: Home, reference: str) -> RunState[None]:
    verified = home.verifier.verify(reference)
    if verified.faults:
        return Failed(name="Broken", message=" ".join(verified.faults))
    partnership = home.views.partnership(reference)
    if {one for one in partnership.findings if one.code not in GUARDS} != set(findings.standing(partnership)):
        key = f"review:{reference}:{partnership.version}"
        home.ledger.fire(reference, "review_findings", Review(reviewed_on=None), actor=CLOCK, at=now(), key=key, via="checks")
    due = entitlement(partnership)
    return Completed(
        message=f"{verified.entries} entrées vérifiées ; droit à subvention {euros(due.amount)} "
        f"({due.subsidised} stagiaires) ; {len(partnership.findings)} constats."
    )


@flow(name="nightly_verification", description="Vérifie chaque dossier, chaque nuit.")
async def nightly_verification() -> RunState[None]:
    """Verify every dossier in one run."""
    verified = shared_home(settings()).verifier.verify_all()
    broken = [f"{one.reference} : {' '.join(one.faults)}" for one in verified if one.faults]
    if broken:
        return Failed(name="Broken", message=" ".join(broken))
    return Completed(message=f"{len(verified)} dossiers vérifiés, {sum(one.entries for one in verified)} entrées.")
