"""Writes, or with --check compares, flows/ports/communes.csv: every French commune, and the names that it absorbed.

Source: the code officiel géographique of INSEE (2026), as published by Etalab in the npm package
@etalab/decoupage-administratif, version 6.0.0. Licence of the data: Licence Ouverte.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path

PACKAGE = "@etalab/decoupage-administratif@6.0.0"
MEMBER = "package/data/communes.json"
TARBALL_SHA512 = (
    "5dabd8b0595b70cfe9acaafc84d1cf28447de081f0fddb3134ce27c6358c624e8f2c5002a4479dbe7ffbc0af016a8ce6d1d09885659c7feedb716a40e6998269"
)
CSV_SHA256 = "4c059b857a1f1fa409b41b8af785847c81f058b1e1cca629fdfbc505b15df250"
COLUMNS = ("insee", "name", "department", "aliases")
TARGET = Path(__file__).with_name("communes.csv")


class Unusable(Exception):
    """What was fetched is not what the committed file is made from; says why."""


def table(package: bytes) -> bytes:
    """The CSV, from the package's communes.json: the same bytes whatever the order of its entries."""
    places: list[dict[str, str]] = json.loads(package)
    communes = {place["code"]: place for place in places if place["type"] == "commune-actuelle"}
    aliases: dict[str, set[str]] = defaultdict(set)
    for place in places:
        if place["type"] != "commune-actuelle":
            # A part of a commune (delegated, associated, arrondissement of Paris, Lyon or Marseille) has a code and a name.
            whole = place["commune" if place["type"] == "arrondissement-municipal" else "chefLieu"]
            aliases[whole] |= {place["code"], place["nom"]}
    if astray := aliases.keys() - communes.keys():
        raise Unusable(f"Parts of communes that do not exist: {', '.join(sorted(astray))}.")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for insee, commune in sorted(communes.items()):
        others = aliases[insee] - {commune["nom"]} - communes.keys()
        rows.writerow((insee, commune["nom"], commune["departement"], "|".join(sorted(others))))
    return text.getvalue().encode()


def fetched() -> bytes:
    """The package's communes.json, fetched with npm and held against TARBALL_SHA512. Raises Unusable."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unusable("npm is missing: it comes with Node.js.")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", PACKAGE, "--silent", "--ignore-scripts", "--pack-destination", folder]
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:  # noqa: S603 - constants only
            raise Unusable(f"npm could not fetch {PACKAGE}.")
        (tarball,) = Path(folder).glob("*.tgz")
        return unpacked(tarball.read_bytes())


def unpacked(tarball: bytes) -> bytes:
    """communes.json out of the tarball, without writing anything. Raises Unusable when it is another tarball."""
    if hashlib.sha512(tarball).hexdigest() != TARBALL_SHA512:
        raise Unusable(f"The tarball of {PACKAGE} is not the one whose checksum is known.")
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None
        return member.read()


def main() -> int:
    """Exit code 1 when the source cannot be used, or when --check finds a file that differs."""
    try:
        content = table(fetched())
    except Unusable as fault:
        print(fault, file=sys.stderr)
        return 1
    digest = hashlib.sha256(content).hexdigest()
    if digest != CSV_SHA256:
        print(f"CSV_SHA256 must become {digest}.", file=sys.stderr)
    if TARGET.exists() and TARGET.read_bytes() == content:
        return int(digest != CSV_SHA256)
    if "--check" in sys.argv:
        print(f"{TARGET.name} is not what the package says: run `make communes`.", file=sys.stderr)
        return 1
    TARGET.write_bytes(content)
    print(f"wrote {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
