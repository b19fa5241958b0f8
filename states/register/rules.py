"""What may become of the register: every reason why an act on it is refused, or the entries that it leaves.

What moves money takes two persons, the operator and the superior or two operators, and nobody acts on their own line. Source: the
house's own rule; that ordering and paying are kept apart is the decree of 7 November 2012, art. 9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from states.dossier.delegation import APART
from states.dossier.proof import SENTENCES, Proof
from states.dossier.rules import SUPERIOR
from states.grammar.guard import WHOEVER_ENTERS, Reason, Refused
from states.register.facts import Standing, folded
from states.register.fold import House
from states.register.names import odd_letters, passes_for, skeleton
from states.register.records import WRITES, Draft
from states.register.requests import Verb, Wish
from states.values.french import listed
from states.values.law import HOUSE, SEPARATION, Source
from states.vocabulary import Role

OPERATOR = Role.OPERATOR.label
SECOND = "un autre exploitant, ou l’ordonnateur"
WITH_A_CODE = "la personne elle-même, avec le code qui s’affiche maintenant"
RESERVED = "horloge"  # the name under which jalon itself acts
# What is an office, or jalon, and would pass for one at the end of a deed.
OFFICES = frozenset(
    skeleton(f"{article}{name}") for article in ("", "le ", "la ", "l’") for name in ("jalon", *(role.label for role in Role))
)


OF_THE_SUPERIOR = frozenset({Verb.AGREE, Verb.DECLINE, Verb.SUSPEND})
OF_ONESELF = frozenset({Verb.TAKE, Verb.LEAVE, Verb.WITNESS})


def decide(
    house: House, wish: Wish, actor: str, *, at: datetime, proof: str | None, acting: frozenset[Role]
) -> tuple[Draft, ...] | Refused:
    """What `actor`, who acts in these roles, may do of the register at an aware instant.

    `proof` is what became of the code, None when none was asked for.
    """
    reasons = [*_actor_reasons(acting, wish, actor, proof), *RULES[wish.verb](house, wish, actor)]
    if reasons:
        return Refused(wish.verb, tuple(reasons))
    return tuple(WRITES[wish.verb](house, wish, at))


def _reason(code: str, sentence: str, who: str, source: Source = HOUSE) -> Reason:
    return Reason(code, sentence, who, str(source))


def _actor_reasons(held: frozenset[Role], wish: Wish, actor: str, proof: str | None) -> Iterator[Reason]:
    """The person must be proven, have the role, and not act on their own line but to give something up."""
    if proof is not None and proof != Proof.RIGHT:
        yield _reason("PERSON_UNPROVED", SENTENCES[Proof(proof)].format(name=actor), WITH_A_CODE)
    also = SUPERIOR if wish.verb in OF_THE_SUPERIOR else Role.AUDITOR if wish.verb is Verb.WITNESS else Role.OPERATOR
    if held.isdisjoint({Role.OPERATOR, also}):
        by = f"{OPERATOR}{f' ou {also.label}' if also is not Role.OPERATOR else ''}"
        yield _reason("ROLE_REQUIRED", f"{actor} n’a pas le rôle demandé pour cela ({by}).", f"une personne qui a le rôle {by}")
    if folded(actor) == folded(wish.person) and wish.verb not in OF_ONESELF:
        yield _reason("ON_ONESELF", "Personne ne change sa propre ligne du registre, sauf pour rendre un rôle ou partir.", SECOND)


def _named(house: House, wish: Wish) -> Iterator[Reason]:
    """The person must be of the register."""
    if house.member(wish.person) is None:
        sentence = f"Le nom « {wish.person[:80]} » n’est pas au registre des personnes : vérifiez-le (jalon people list)."
        yield _reason("PERSON_UNKNOWN", sentence, WHOEVER_ENTERS)


def _new_name(house: House, wish: Wish) -> Iterator[Reason]:
    odd, others = odd_letters(wish.person), [member.name for member in house.members.values()]
    other = passes_for(wish.person, others)
    if odd:
        looks = f" ; ainsi écrit, il passe pour « {other} »" if other else ""
        verb = "n’en est pas" if len(odd) == 1 else "n’en sont pas"
        sentence = f"Un nom du registre s’écrit en lettres latines, sans rien d’invisible : {listed(odd)} {verb}{looks}."
        yield _reason("NAME_MISLEADS", sentence, WHOEVER_ENTERS)
    elif not wish.person[:1].isalpha():
        yield _reason("NAME_EMPTY", "Un nom commence par une lettre.", WHOEVER_ENTERS)
    elif (there := house.member(wish.person)) is not None:
        sentence = f"{there.name} est déjà au registre ; pour changer ses rôles ou son adresse : jalon people change."
        yield _reason("NAME_TAKEN", sentence, WHOEVER_ENTERS)
    elif other is not None:
        yield _reason("NAME_MISLEADS", f"« {wish.person} » passe pour « {other} », qui est au registre.", WHOEVER_ENTERS)
    if skeleton(wish.person) in OFFICES:
        yield _reason("NAME_RESERVED", f"Le nom « {wish.person} » ne peut pas être celui d’une personne.", WHOEVER_ENTERS)


def _address(house: House, wish: Wish) -> Iterator[Reason]:
    same = [
        member.name
        for member in house.members.values()
        if wish.mail and member.mail.casefold() == wish.mail.casefold() and folded(member.name) != folded(wish.person)
    ]
    if same and not wish.shared_mail:
        sentence = f"L’adresse {wish.mail} est déjà celle de {listed(same)} : est-ce voulu ? Si oui, ajoutez --shared-mail."
        yield _reason("MAIL_SHARED", sentence, WHOEVER_ENTERS)


def _added(house: House, wish: Wish, actor: str) -> Iterator[Reason]:
    yield from _new_name(house, wish)
    yield from _address(house, wish)
    yield from _roles(house, wish, actor)


def _roles(house: House, wish: Wish, _actor: str) -> Iterator[Reason]:
    """The roles that are given; what the law keeps apart is kept apart from those held, and from those that wait."""
    if not wish.roles or Role.CLOCK in wish.roles:
        yield _reason("ROLE_MISSING", "Une personne a au moins un rôle, et jamais celui de l’horloge.", WHOEVER_ENTERS)
    member = house.member(wish.person)
    waiting = {Role(str(asked.role)) for asked in house.waiting.values() if asked.role and folded(asked.person) == folded(wish.person)}
    held = set(member.roles) if member is not None else set()
    if {*wish.roles} & APART and held | waiting | {*wish.roles} >= APART:
        sentence = f"{wish.person} serait à la fois {listed(sorted(role.label for role in APART))} : personne ne mandate et ne paie."
        yield _reason("ROLES_KEPT_APART", sentence, "une autre personne, qui n’a pas l’autre rôle", SEPARATION)


def _given(house: House, wish: Wish, actor: str) -> Iterator[Reason]:
    yield from _named(house, wish)
    yield from _roles(house, wish, actor)
    yield from _still_there(house, wish, actor)
    member = house.member(wish.person)
    again = [role.label for role in wish.roles if member is not None and role in member.roles]
    if again:
        yield _reason("ROLE_HELD", f"{wish.person} a déjà le rôle {listed(again)}.", WHOEVER_ENTERS)


def _taken(house: House, wish: Wish, _actor: str) -> Iterator[Reason]:
    yield from _named(house, wish)
    member = house.member(wish.person)
    lacking = [role.label for role in wish.roles if member is not None and role not in member.roles]
    if lacking:
        yield _reason("ROLE_NOT_HELD", f"{wish.person} n’a pas le rôle {listed(lacking)}.", WHOEVER_ENTERS)
    if Role.OPERATOR in wish.roles:
        yield from _last_operator(house, wish)


def _last_operator(house: House, wish: Wish) -> Iterator[Reason]:
    left = [member for member in house.holding(Role.OPERATOR) if folded(member.name) != folded(wish.person) and member.enrolled]
    member = house.member(wish.person)
    if member is not None and Role.OPERATOR in member.held and not left:
        sentence = f"{member.name} est le dernier exploitant qui a des codes : sans lui, plus personne ne pourrait changer le registre."
        yield _reason("LAST_OPERATOR", sentence, "un autre exploitant, une fois inscrit et enrôlé")


def _still_there(house: House, wish: Wish, _actor: str) -> Iterator[Reason]:
    member = house.member(wish.person)
    if member is not None and member.standing is Standing.LEFT:
        yield _reason("PERSON_LEFT", f"{member.name} est parti : son histoire reste, sa ligne ne change plus.", WHOEVER_ENTERS)


def _moved(house: House, wish: Wish, actor: str) -> Iterator[Reason]:
    yield from _named(house, wish)
    yield from _still_there(house, wish, actor)
    yield from _address(house, wish)


def _invited(house: House, wish: Wish, actor: str) -> Iterator[Reason]:
    yield from _named(house, wish)
    yield from _still_there(house, wish, actor)
    member = house.member(wish.person)
    if member is not None and member.standing is Standing.SUSPENDED:
        yield _reason("PERSON_SUSPENDED", f"{member.name} est suspendu : rétablissez-le d’abord (jalon people resume).", OPERATOR)


def _suspended(house: House, wish: Wish, actor: str) -> Iterator[Reason]:
    yield from _named(house, wish)
    yield from _still_there(house, wish, actor)
    yield from _last_operator(house, wish)
    if not wish.because:
        yield _reason("MOTIVE_REQUIRED", "Dites pourquoi : --because.", WHOEVER_ENTERS)
    member = house.member(wish.person)
    if member is not None and member.standing is Standing.SUSPENDED:
        yield _reason("PERSON_SUSPENDED", f"{member.name} est déjà suspendu.", WHOEVER_ENTERS)


def _resumed(house: House, wish: Wish, _actor: str) -> Iterator[Reason]:
    yield from _named(house, wish)
    member = house.member(wish.person)
    if member is not None and member.standing is not Standing.SUSPENDED:
        yield _reason("NOT_SUSPENDED", f"{member.name} n’est pas suspendu.", WHOEVER_ENTERS)


def _left(house: House, wish: Wish, actor: str) -> Iterator[Reason]:
    yield from _named(house, wish)
    yield from _still_there(house, wish, actor)
    yield from _last_operator(house, wish)


def _agreed(house: House, wish: Wish, actor: str) -> Iterator[Reason]:
    """A second person: neither who asked for it nor whom it is about; and what was right then must still be."""
    asked = house.waiting.get(wish.answers or 0)
    if asked is None:
        yield _reason("NOTHING_WAITS", f"Rien n’attend sous le numéro {wish.answers} : voyez jalon people pending.", WHOEVER_ENTERS)
        return
    if wish.verb is Verb.AGREE and folded(asked.actor) == folded(actor):
        yield _reason("SAME_PERSON", f"{asked.actor} l’a demandé : il faut l’accord d’une seconde personne.", SECOND)
    again = Wish(Verb.GIVE, asked.person, (Role(asked.role),) if asked.role else ())
    if wish.verb is Verb.AGREE:
        rest = House(house.members, {n: other for n, other in house.waiting.items() if n != asked.n})
        yield from _given(rest, again, actor) if asked.role else _invited(rest, again, actor)


def _witnessed(house: House, wish: Wish, _actor: str) -> Iterator[Reason]:
    """Somebody outside, who holds the root of a seal that the folder has too; the answer is kept in their words."""
    if wish.night is None:
        sentence = "Aucun sceau du dossier n’a cette racine : le témoin tient un autre sceau, ou un sceau a disparu. Lancez : jalon verify"
        yield _reason("NO_SUCH_SEAL", sentence, SECOND)
    if not wish.witness or house.member(wish.witness) is not None:
        yield _reason("WITNESS_INSIDE", "Un témoin est quelqu’un du dehors : le registre ne l’a pas.", WHOEVER_ENTERS)
    if not wish.because:
        yield _reason("ANSWER_MISSING", "Dites ce que le témoin a répondu : --answer.", WHOEVER_ENTERS)


RULES: dict[Verb, Callable[[House, Wish, str], Iterator[Reason]]] = {
    Verb.ADD: _added,
    Verb.GIVE: _given,
    Verb.TAKE: _taken,
    Verb.ADDRESS: _moved,
    Verb.INVITE: _invited,
    Verb.SUSPEND: _suspended,
    Verb.RESUME: _resumed,
    Verb.LEAVE: _left,
    Verb.AGREE: _agreed,
    Verb.DECLINE: _agreed,
    Verb.WITNESS: _witnessed,
}
