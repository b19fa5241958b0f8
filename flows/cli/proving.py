"""`jalon verify`: the proof of one dossier or of the house, what a seal from outside says of it, and the path of one dossier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.screen import REFUSED, Page
from flows.home import Home
from flows.ports.clock import now
from flows.wording import wall_time
from models.answers import Invalid
from states.grammar.deadlines import paris_day
from states.journal.entry import Entry
from states.values.french import counted, unreadable

if TYPE_CHECKING:
    from models.verify.auditing import Audit, Auditor
    from models.verify.nights import Nights

SEAL_AT_MOST = 64_000_000  # bytes; the whole seal of 100,000 dossiers is some 25 MB


def verify(home: Home, reference: str | None = None, *, law: bool = False) -> Page:
    """The proof of one dossier, or of the house: chains, facts, letters, seals; with `law`, every decision made again."""
    auditor = home.auditor()
    if reference is None:
        return _whole(home, auditor, law=law)
    page = _one(_audited(auditor, reference), law=law)
    about = [*auditor.nights.faults, *_no_letters(home, auditor)]
    lines = [*page.lines, *(f"  - {fault}" for fault in about), *_nights(auditor.nights)]
    return Page(lines, {**page.json, "seals": _told(auditor.nights)}, REFUSED if auditor.nights.faults else page.code)


def _audited(auditor: Auditor, reference: str) -> Audit:
    """The audit of a dossier; one that a night has sealed and that is gone does not hold. Raises Invalid for one that never was."""
    from models.verify.auditing import Audit

    try:
        return auditor.audited(reference)
    except Invalid:
        gone = [proof for proof in auditor.gone(auditor.references()) if proof.reference == reference]
        if not gone:
            raise
        return Audit(gone[0], [])


def _whole(home: Home, auditor: Auditor, *, law: bool) -> Page:
    pages = [_one(audit, law=law) for audit in auditor.all()]
    faults, remarks = house_faults(home, auditor), _no_letters(home, auditor)
    lines = [line for page in pages for line in page.lines] or ["Aucun dossier à vérifier."]
    lines += ["La maison : CE QUI SUIT NE TIENT PAS : prévenez l’exploitant."] * bool(faults)
    lines += [f"  - {fault}" for fault in faults]
    lines += [*_nights(auditor.nights), *remarks]
    found = {"dossiers": [page.json for page in pages], "house": faults, "remarks": remarks, "seals": _told(auditor.nights)}
    return Page(lines, found, REFUSED if faults else max((page.code for page in pages), default=0))


def house_faults(home: Home, auditor: Auditor) -> list[str]:
    """What does not hold of the house, once every dossier was audited: people, schema, dashboard, seals, letters of no dossier."""
    from models.verify.house import night_faults
    from models.verify.leaves import register_faults

    at, nights = now(), auditor.nights
    letters = auditor.post.seal_faults(nights) if auditor.post is not None else ()
    people = register_faults(home.store, nights)
    return [*people, *auditor.house.faults(nights, at), *nights.faults, *night_faults(nights, paris_day(at)), *letters, *auditor.loose]


def _no_letters(home: Home, auditor: Auditor) -> list[str]:
    if auditor.post is not None:
        return []
    return [f"Le dossier des courriers {home.settings.mail_dir} n’existe pas : ce qui est marqué remis n’a pas été comparé."]


def _nights(nights: Nights) -> list[str]:
    if not nights.last:
        return []
    sealed = f"{counted(nights.many, 'nuit scellée', 'nuits scellées')}, la dernière est celle du {_short(nights.last.night)}"
    return [f"Sceaux : {sealed}{'' if nights.faults else ' ; chacune suit celle d’avant'}."]


def _short(night: str) -> str:
    return "/".join(reversed(night.split("-")))


def _told(nights: Nights) -> dict[str, object]:
    last = {"night": nights.last.night, "root": nights.last.root} if nights.last else None
    return {"nights": nights.many, "last": last, "faults": nights.faults}


def _one(audit: Audit, *, law: bool) -> Page:
    proof = audit.proof
    found: dict[str, object] = {
        "reference": proof.reference,
        "entries": proof.entries,
        "head": proof.head,
        "faults": list(audit.faults),
    }
    if audit.faults:
        return Page(
            [f"{proof.reference} : LE JOURNAL NE TIENT PAS : prévenez l’exploitant.", *(f"  - {fault}" for fault in audit.faults)],
            found,
            REFUSED,
        )
    lines = [f"{proof.reference} : tout se tient ({counted(proof.entries, 'entrée vérifiée', 'entrées vérifiées')}, tête {proof.head})."]
    if not law:
        return Page(lines, found)
    again = _again(proof.reference, audit.entries)
    return Page([*lines, *again.lines], found | {"law": again.json}, again.code)


def _again(reference: str, entries: list[Entry]) -> Page:
    """What comes of deciding every entry again: another question than whether the journal holds."""
    from models.verify.redeciding import redecided  # the rules and the forms

    found = redecided(reference, entries)
    lines = [f"  {counted(found.again, 'entrée décidée à nouveau', 'entrées décidées à nouveau')} sous la loi de leur numéro : "]
    lines[0] += "rien ne sort autrement." if not found.anomalies else f"{counted(len(found.anomalies), 'anomalie', 'anomalies')}."
    lines += [f"  - {anomaly.sentence}" for anomaly in found.anomalies]
    lines += [
        f"  {counted(many, 'entrée n’a pas été décidée', 'entrées n’ont pas été décidées')} à nouveau : {why}." for why, many in found.left
    ]
    decided = {
        "decided_again": found.again,
        "anomalies": [anomaly._asdict() for anomaly in found.anomalies],
        "not_decided_again": [{"reason": why, "entries": many} for why, many in found.left],
    }
    return Page(lines, decided, REFUSED if found.anomalies else 0)


def witnessed(home: Home, reference: str, head: str, *, law: bool = False) -> Page:
    """Whether the journal still has the entry whose digest a letter carries: what that letter proves."""
    proof = verify(home, reference, law=law)
    sealed = next((line for line in home.views.history(reference) if line.digest == head.strip().lower()), None)
    if sealed is None:
        line = "Cette empreinte n’est celle d’aucune entrée du journal : il a été réécrit depuis, ou l’empreinte est mal recopiée."
        return Page([line, *proof.lines], {**proof.json, "witness": None}, REFUSED)
    entry = sealed.entry
    witness = {"n": entry.n, "label": entry.label, "actor": entry.actor, "recorded_at": entry.recorded_at}
    line = f"Cette empreinte est celle de l’entrée {entry.n} : {entry.label}, par {entry.actor}, {wall_time(entry.recorded_at)}."
    return Page([line, *proof.lines], {**proof.json, "witness": witness}, proof.code)


def compared(home: Home, file: Path) -> Page:
    """What a seal that comes from outside (its file, its letter, its root or a path) says of the house as it is. Raises Invalid."""
    from models.verify.received import Comparing, received, title
    from models.verify.seals import NoSeal

    nights = home.auditor().nights
    try:
        told = received(_content(file))
    except NoSeal as fault:
        raise Invalid(f"{file.name} : {fault}.") from fault
    faults, found = Comparing(home.store, nights).faults(told), title(nights, told.root)
    many = counted(len(told.leaves()), "dossier comparé", "dossiers comparés")
    said = [f"{found} : c’est bien celui du dossier des sceaux ; {many}."] if found else []
    kept = "Il est gardé tel qu’il était : tout ce qu’il a scellé est toujours à sa place." if told.leaves() else ""
    lines = [
        *said,
        *(["CE QUI SUIT NE TIENT PAS : prévenez l’exploitant."] if faults else [kept] * bool(kept)),
        *(f"  - {one}" for one in faults),
    ]
    return Page(lines, {"root": told.root, "night": nights.night_of(told.root), "faults": faults}, REFUSED if faults else 0)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(SEAL_AT_MOST + 1)
    except OSError as fault:
        raise Invalid(f"Le fichier {file} ne peut pas être lu ({unreadable(fault)}).") from fault
    if len(content) > SEAL_AT_MOST:
        raise Invalid(f"Le fichier {file} est trop grand pour être un sceau.")
    return content


def path_of(home: Home, reference: str, file: Path) -> Page:
    """Write the path of one dossier to the root of the last seal: it proves the dossier and names no other. Raises Invalid."""
    nights = home.auditor().nights
    path = nights.inclusion(reference)
    if path is None:
        raise Invalid(f"Aucun sceau qui tienne ne porte {reference} : la ronde de la nuit le scellera.")
    try:
        file.write_text(json.dumps(path, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as fault:
        raise Invalid(f"Le fichier {file} ne peut pas être écrit ({unreadable(fault)}).") from fault
    night = _short(str(path["night"]))
    return Page([f"Le chemin de {reference} à la racine de la nuit du {night} est dans {file} ; il ne nomme aucun autre dossier."], path)
