"""What a database knows of the whole house: the words that it takes, and how many dossiers stand where."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint

from models.tables.columns import Big, day, number, table, truth, words

# The states and roles that somebody has told this database of: triggers refuse any other (see `models.database.vocabulary`).
vocabulary = table("vocabulary", words("kind"), words("word"), PrimaryKeyConstraint("kind", "word", name="pk_vocabulary"))

# How many dossiers, and how much money, came to a state and a deadline or left them. A trigger adds a row in the transaction of the
# step and nobody waits for another; what counts is the sum, and who reads puts rows together (see `models.ledger.tallies`).
tallies = table(
    "tallies",
    Column("id", Big, primary_key=True),
    words("state"),
    day("due_on", nullable=True),
    truth("loose"),  # until somebody has put it together with others
    number("dossiers"),
    *(Column(f"{name}_cents", Big, nullable=False) for name in ("engaged", "ordered", "paid")),
)
