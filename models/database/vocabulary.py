"""The words that a database takes, states and roles: it refuses any that no jalon has told it of, and learns those of this one."""

from __future__ import annotations

from sqlalchemy import text

from models.database.store import Store
from states.vocabulary import OPENED, Role

# By the name with which the database objects: the kind of word, and the words of this jalon. (Nobody of the register is the clock.)
WORDS = {
    "ck_partnerships_state": ("state", tuple(state.value for state in OPENED)),
    "ck_people_roles_role": ("role", tuple(role.value for role in Role if role is not Role.CLOCK)),
}


def learnt(store: Store, constraint: str | None) -> bool:
    """Tell the database of the words whose lack made it object by `constraint`; False when it was about no such lack.

    True says that the database knows them now, whoever told it: of two who come with a new word at once, both may go on. Who tries
    again after that and meets the same objection has met another fault. Looked at only then, so that a word that is new costs
    nothing but its first use.
    """
    if constraint is None or constraint not in WORDS:
        return False
    kind, words = WORDS[constraint]
    learn = store.compile(text("INSERT INTO vocabulary (kind, word) VALUES (:kind, :word) ON CONFLICT DO NOTHING"))
    with store.transaction() as cursor:
        for word in words:
            cursor.execute(learn, {"kind": kind, "word": word})
    return True
