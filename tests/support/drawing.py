"""How many examples hypothesis draws: what a test says in `make test`, a fifth in `make quick`, five times as many in `make endurance`."""

from hypothesis import HealthCheck, settings

# The machine's speed is no fact about jalon; one example may need a whole dossier.
_ANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
USUAL = 100
TIERS = {"quick": USUAL // 5, "jalon": USUAL, "endurance": USUAL * 5}


def register() -> None:
    """`--hypothesis-profile` picks one of these; the usual one otherwise."""
    for name, examples in TIERS.items():
        settings.register_profile(name, _ANY, max_examples=examples)
    settings.load_profile("jalon")


def draws(usual: int) -> settings:
    """So many in `make test`, and in proportion in the other tiers."""
    return settings(max_examples=max(1, usual * settings().max_examples // USUAL))
