"""A letter as a mail program reads it."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.ports.mail import Letter, write
from models.database.faults import Unreachable
from states.lifecycle import ROWS

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def letter(subject: str) -> Letter:
    return Letter("ESSAI-1.3.tell.training_officer", "Tania", "tania@essai.example", subject, "Bonjour Tania,\n\nC’est fait.\n", AT)


@pytest.mark.parametrize("label", [row.label for row in ROWS])
def test_a_subject_is_read_as_it_was_written(tmp_path: Path, label: str) -> None:
    subject = f"[CDG62-ARTOIS-DUSGM-2025] {label} : étape faite"
    path = write(letter(subject), folder=tmp_path, sender="jalon@essai.example")
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["Subject"] == subject
    assert mail.get_content().splitlines() == ["Bonjour Tania,", "", "C’est fait."]


def test_the_same_letter_is_one_file_with_the_same_bytes(tmp_path: Path) -> None:
    first = write(letter("Objet"), folder=tmp_path, sender="jalon@essai.example")
    content = first.read_bytes()
    assert write(letter("Objet"), folder=tmp_path, sender="jalon@essai.example") == first
    assert first.read_bytes() == content
    assert list(tmp_path.iterdir()) == [first]


def test_a_folder_that_cannot_be_written_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("not a folder")
    with pytest.raises(Unreachable, match="Le courrier ne peut pas être écrit"):
        write(letter("Objet"), folder=tmp_path / "mail", sender="jalon@essai.example")


def test_a_subject_cannot_smuggle_a_header(tmp_path: Path) -> None:
    path = write(letter("Objet\r\nBcc: tous@essai.example"), folder=tmp_path, sender="jalon@essai.example")
    read = email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTP)
    assert (read["Bcc"], read["Subject"]) == (None, "Objet\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}Bcc: tous@essai.example")
