"""A new state needs nothing else to be told: a training that is suspended, lived on a copy that was edited in two files."""

from __future__ import annotations

import json
from pathlib import Path

from edited import copied, python

LIFECYCLE, VOCABULARY = "states/lifecycle.py", "states/vocabulary.py"

# A training that is suspended: one line for the state, two rows.
SUSPENDED = '    SUSPENDED = "suspended", "formation suspendue", Convention.ACTED, Course.UNDER_WAY, Money.FREE\n'
SUSPEND = """    Step("suspend_training", "Suspendre la formation", source=(S.IN_TRAINING,), dest=S.SUSPENDED, by=(TRAINING,),
         asks=dossier_requests.Motive, guards=(MOTIVE, IN_ORDER), tells=(FINANCE,)),
    Step("resume_training", "Reprendre la formation", source=(S.SUSPENDED,), dest=S.IN_TRAINING, by=(TRAINING,), within=Within(60),
         asks=dossier_requests.Motive, guards=(MOTIVE, IN_ORDER)),
"""
LIVE = """
import json, sys
from walks import AT, RIGHT, Walk
from flows.desk import dashboard_page, dossier_page
from flows.home import Home
from flows.rounds import keep_lines
from flows.settings import settings
from states.overview.outlook import outlook
from states.overview.table import deployments, mermaid
from states.vocabulary import State, UnsoundTable
home = Home(settings({"JALON_HOME": sys.argv[1]}), create=True)
walk = Walk(home.store).until(State.IN_TRAINING)
RIGHT["suspend_training"] = {"motive": "Confinement", "decided_on": "2026-02-01"}
RIGHT["resume_training"] = {"motive": "Fin du confinement", "decided_on": "2026-03-02"}
told = {"before": outlook(home.views.partnership("ESSAI-1"), AT)._asdict()}
walk.do("suspend_training")
told["suspended"] = outlook(home.views.partnership("ESSAI-1"), AT)._asdict()
walk.do("retain_trainee", given_name="Zora", rank=9)
walk.do("verify_residence", trainee=2)
walk.do("amend")
walk.do("propose_payee")
walk.do("hold_committee")
told["n"] = walk.do("attach").n
walk.do("undo", actor="Omar", entry=told["n"])
keep_lines(home, ["ESSAI-1"])
told["page"] = dossier_page.page(home, "ESSAI-1", at=AT, form=lambda *_: "")[0]
told["dashboard"] = dashboard_page.dashboard(home, at=AT)
told["faults"] = [fault for one in home.verifier.verify_all() for fault in one.faults]
told["entrypoints"] = [one["entrypoint"] for one in deployments()["deployments"]]
told["diagram"] = mermaid()
walk.do("resume_training")
home.store.close()
print(json.dumps(told, default=str, ensure_ascii=False))
"""


def test_a_suspended_training_is_one_line_and_two_rows_and_nothing_else_has_to_be_told(tmp_path: Path) -> None:
    """By hand in a group, the new state would have been forgotten: nothing engaged, no trainee, no amendment."""
    in_training = '    IN_TRAINING = "in_training", "en formation", Convention.ACTED, Course.UNDER_WAY, Money.FREE\n'
    folder = copied(
        tmp_path / "copy",
        (VOCABULARY, in_training, in_training + SUSPENDED),
        (LIFECYCLE, "    # The invoice\n", SUSPEND + "    # The invoice\n"),
    )
    lived = python(folder, "-c", LIVE, str(tmp_path / "home"))
    assert lived.returncode == 0, lived.stderr
    told = json.loads(lived.stdout.splitlines()[-1])
    assert told["suspended"]["engaged"] == told["before"]["engaged"] == "40000.00"
    assert (told["suspended"]["step"], told["suspended"]["due_on"]) == ("resume_training", "2026-04-02")
    assert told["faults"] == []
    assert "formation suspendue" in told["page"]
    assert "in_training --> suspended : suspend_training" in told["diagram"]
    assert {"flows.steps.suspend_training", "flows.steps.resume_training"} <= set(told["entrypoints"])
    assert "formation suspendue" in told["dashboard"]
