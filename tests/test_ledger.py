"""The ledger answers, on SQLite and on PostgreSQL."""

import pytest
from walks import WAYS, Walk

from models.store import Store
from models.verify import Verifier
from states.facts import State


@pytest.mark.parametrize("state", [state for state in State if state is not State.UNOPENED])
def test_every_state_is_reached_and_its_dossier_verifies(store: Store, state: State) -> None:
    walk = Walk(store).until(state)
    verified = Verifier(store).verify(walk.reference)
    assert verified.faults == ()
    assert verified.entries == len(WAYS[state])
