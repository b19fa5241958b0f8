"""`/jalon/exploitant`: a person with the operator role proves it with a one-time code, and may then do what is an operator's.

The proof is a cookie that no script reads and no other site sends. It is worth half an hour, as long as the person holds the role,
and until `jalon down`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import time
from contextlib import suppress
from functools import cache

from flows.home import Home
from flows.ports.clock import now
from flows.server.routes import OPERATORS
from flows.settings import settings
from models.answers import Invalid
from models.database.faults import Unreachable
from models.people.codes import Shown
from states.dossier.proof import Proof
from states.vocabulary import Role

PAGE = OPERATORS
COOKIE = "jalon_exploitant"
SECONDS = 30 * 60
NOT_PROVED = "Ce nom et ce code ne sont pas ceux d’un exploitant, ou le code a déjà servi."
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def proved_operator(home: Home, name: str, code: str, address: str) -> str | None:
    """The name, as the register writes it, of an operator who gave the right code, which is used up; None for anybody else."""
    with suppress(Invalid):
        actor = home.register.actor(name)
        if Role.OPERATOR in actor.roles and home.ledger.use_up(actor.name, Shown(code, now(), f"form:{address}")) is Proof.RIGHT:
            return actor.name
    return None


def holds_the_role(home: Home, name: str) -> bool:
    """Whether a person still is an operator."""
    with suppress(Invalid):
        return Role.OPERATOR in home.register.actor(name).roles
    return False


@cache
def _home() -> Home:
    """The register beside the server, opened when an operator first comes. Raises Unreachable."""
    return Home(settings(), upgrade=False)


def proof(key: bytes, name: str, code: str, address: str) -> str | None:
    """The cookie of an operator who proves it now, from an address; None for anybody else. Raises Unreachable."""
    known = proved_operator(_home(), name, code, address)
    if known is None:
        return None
    told = f"{base64.urlsafe_b64encode(known.encode()).decode()}.{int(time.time()) + SECONDS}"
    return f"{told}.{_signature(key, told)}"


def operator(key: bytes, cookie: str) -> str | None:
    """The name of the operator whose cookie this is; None when it proves nothing, or nothing any more."""
    told, _, signature = cookie.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(key, told).encode()):
        return None
    name, _, until = told.partition(".")
    try:
        person = base64.urlsafe_b64decode(name).decode()
        return person if time.time() < int(until) and holds_the_role(_home(), person) else None
    except (binascii.Error, ValueError, Unreachable):
        return None


def _signature(key: bytes, told: str) -> str:
    return hmac.new(key, b"operator:" + told.encode(), hashlib.sha256).hexdigest()


def cookie_header(value: str) -> str:
    """The header that gives a cookie, or takes it back when there is no value."""
    return f"{COOKIE}={value}; Path=/; Max-Age={SECONDS if value else 0}; HttpOnly; SameSite=Strict"


def page(message: str = "", operator_name: str | None = None) -> str:
    """The page, in French: the form, or what the operator may do now."""
    note = f"<p role='alert'><strong>{html.escape(message)}</strong></p>" if message else ""
    return (
        "<!doctype html><html lang='fr'><meta charset='utf-8'><title>Exploitant · jalon</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}"
        "label{display:block;margin:1rem 0}input{font:inherit;width:100%;padding:.4rem}button{font:inherit;padding:.4rem 1rem}</style>"
        f"<h1>Exploitant du bureau</h1>{note}{_known(operator_name) if operator_name else _form()}</html>"
    )


def _form() -> str:
    return (
        "<p>Demander une étape ne demande rien ici. Changer ce que Prefect exécute, met en pause ou efface demande le rôle"
        " d’exploitant, et un code à usage unique.</p>"
        f"<form method='post' action='{PAGE}'><label>Nom au registre<input name='name' autocomplete='username' required></label>"
        "<label>Code à usage unique<input name='code' inputmode='numeric' autocomplete='one-time-code' required></label>"
        "<button>Prouver</button></form>"
    )


def _known(name: str) -> str:
    return (
        f"<p>{html.escape(name)}, vous êtes exploitant du bureau pour une demi-heure au plus.</p>"
        "<p><a href='/v2/deployments'>Déploiements</a> · <a href='/v2/work-pools'>Files de travail</a> ·"
        " <a href='/v2/automations'>Automatisations</a></p>"
        f"<form method='post' action='{PAGE}'><input type='hidden' name='end' value='1'><button>Ne plus l’être</button></form>"
    )
