"""The communes as the rules know them; the list itself is read when somebody first asks."""

from __future__ import annotations

from states.grammar.case import Commune


def communes(text: str) -> tuple[Commune, ...]:
    """The communes that an INSEE code or a name may mean, by their codes."""
    from flows.ports.communes import find  # 35,000 lines: only for who names a commune

    return tuple(Commune(commune.insee, commune.name, commune.department) for commune in find(text))
