"""`jalon deliver`: what the outbox holds is delivered and checked, and what still waits is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flows.cli.screen import Page
from flows.home import Home
from flows.mail.courier import deliver_all
from flows.review import Checked, check
from flows.wording import wall_time
from models.outbox import Parcel


def delivered(home: Home) -> Page:
    """Deliver all that is due, once; what it came to."""

    async def checked(reference: str, _parcels: Sequence[Parcel]) -> Checked:
        return check(home, reference)

    done = asyncio.run(deliver_all(home, checked))
    held = [{"reference": parcel.reference, "key": parcel.key, "reason": parcel.fault, "again_at": parcel.due_at} for parcel in done.held]
    content = {"letters": done.letters, "checked": done.checked, "broken": list(done.broken), "given_up": done.given_up}
    content |= {"still_held": done.still_held, "held": held}
    where = [f"  Ils sont dans {home.settings.mail_dir}."] if done.letters else []
    waiting = [f"  En attente, {parcel.key} : {parcel.fault} Nouvel essai après {wall_time(parcel.due_at)}." for parcel in done.held]
    waiting += [f"  Et {done.still_held - len(held)} autres, réessayés de même."] if done.still_held > len(held) else []
    return Page([done.message, *where, *waiting], content)
