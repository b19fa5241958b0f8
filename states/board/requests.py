"""What the steps of the board ask: a session with its roll call and votes, and what becomes of an act."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from states.grammar.request import Request
from states.trainees.identity import plain
from states.values.fields import WHOLE, AcademicYear, Count, Day, Department, Euros, Line, Number, Paragraph
from states.values.payload import Payload

ActKind = Literal["principle", "authorisation", "ratification", "amendment"]


class Alternate(Payload):
    """A substitute (suppléant) who sits for a member: one of those present."""

    name: Line = Field(title="Suppléant présent")
    sits_for: Line = Field(title="Membre remplacé")


class Proxy(Payload):
    """A member who is away has given a vote (pouvoir) to one who is there."""

    giver: Line = Field(title="Membre absent")
    holder: Line = Field(title="Membre présent qui porte le pouvoir")


class Movement(Payload):
    """A member who comes or goes during the session, before an item is opened."""

    name: Line = Field(title="Membre")
    moves: Literal["arrives", "leaves"] = Field(title="Arrivée ou départ")
    before_item: Number = Field(title="Avant le point n°")


class AgendaItem(Payload):
    """One item of the agenda, with its own vote."""

    number: Number = Field(title="Numéro du point")
    title: Line = Field(title="Intitulé")
    votes_for: Count = Field(title="Voix pour")
    votes_against: Count = Field(0, title="Voix contre")
    abstentions: Count = Field(0, title="Abstentions")


class Deliberation(Request):
    """One item of a board session. Without seats, names and votes the roll call is unknown.

    `present` is the roll call at the opening; `movements` say who came and went before which item.
    """

    dated_by: ClassVar[str] = "held_on"

    held_on: Day = Field(title="Date de la séance")
    act_number: Line | None = Field(None, title="Numéro de la délibération")
    kind: ActKind | None = Field(
        None, title="Nature", description="principe, autorisation, ratification ou avenant ; selon l’étape si absente"
    )
    seats: Annotated[int, Field(ge=1, le=500), WHOLE] | None = Field(None, title="Nombre de sièges en exercice")
    present: tuple[Line, ...] | None = Field(None, title="Membres présents", description="Un nom et sa qualité pour chacun")
    absent: tuple[Line, ...] | None = Field(None, title="Membres absents ou excusés", description="Un nom et sa qualité pour chacun")
    excused: tuple[Line, ...] = Field((), title="Membres excusés", description="S’ils ne sont pas déjà parmi les absents")
    alternates: tuple[Alternate, ...] = Field((), title="Suppléants qui siègent")
    proxies: tuple[Proxy, ...] = Field((), title="Pouvoirs")
    movements: tuple[Movement, ...] = Field((), title="Arrivées et départs en séance")
    reconvened: bool = Field(default=False, title="Séance tenue après une convocation restée sans quorum")
    chair: Line | None = Field(None, title="Présidence de séance")
    secretary: Line | None = Field(None, title="Secrétaire de séance")
    item: Number | None = Field(None, title="Numéro du point à l’ordre du jour")
    agenda: tuple[AgendaItem, ...] = Field((), title="Points de l’ordre du jour et leurs votes")
    votes_for: Count | None = Field(None, title="Voix pour")
    votes_against: Count | None = Field(None, title="Voix contre")
    abstentions: Count | None = Field(None, title="Abstentions")

    @property
    def present_at_item(self) -> tuple[str, ...] | None:
        """Who sits when the item is opened; None when the roll call is unknown."""
        return None if self.present is None else self._sitting(self.item)

    @property
    def absent_at_item(self) -> tuple[str, ...] | None:
        """Who does not sit when the item is opened, excused or not; None when the source does not say."""
        if self.absent is None:
            return None
        away = dict.fromkeys((*self.absent, *self.excused))
        for move in self._moves(self.item):
            if move.moves == "leaves":
                away[move.name] = None
            else:
                away.pop(move.name, None)
        return tuple(away)

    @property
    def proxies_at_item(self) -> tuple[Proxy, ...]:
        """The proxies that hold when the item is opened: the giver is away, the holder sits."""
        return self._held(self.item)

    @property
    def vote(self) -> tuple[int | None, int | None, int | None]:
        """For, against, abstentions: those of the item on the agenda when there is one."""
        voted = next((item for item in self.agenda if item.number == self.item), None)
        if voted is not None:
            return voted.votes_for, voted.votes_against, voted.abstentions
        return self.votes_for, self.votes_against, self.abstentions

    def _moves(self, item: int | None) -> list[Movement]:
        moves = [move for move in self.movements if item is not None and move.before_item <= item]
        return sorted(moves, key=lambda move: move.before_item)

    def _sitting(self, item: int | None) -> tuple[str, ...]:
        sitting = dict.fromkeys(self.present or ())
        for move in self._moves(item):
            if move.moves == "leaves":
                sitting.pop(move.name, None)
            else:
                sitting[move.name] = None
        return tuple(sitting)

    def _held(self, item: int | None) -> tuple[Proxy, ...]:
        sitting = self._sitting(item)
        return tuple(proxy for proxy in self.proxies if proxy.holder in sitting and proxy.giver not in sitting)

    @model_validator(mode="after")
    def _names_an_item(self) -> Self:
        numbers = [item.number for item in self.agenda]
        if self.movements and self.item is None:
            raise PydanticCustomError("jalon_item", "pour tenir compte des arrivées et départs, il faut le numéro du point")
        if self.agenda and (self.item not in numbers or len(set(numbers)) < len(numbers)):
            raise PydanticCustomError("jalon_item", "le point voté doit être à l’ordre du jour, et chaque point n’y être qu’une fois")
        if self.agenda and (self.votes_for, self.votes_against, self.abstentions) != (None, None, None):
            raise PydanticCustomError("jalon_votes", "les voix se donnent avec le point de l’ordre du jour, ou sans ordre du jour")
        return self

    @model_validator(mode="after")
    def _calls_each_once(self) -> Self:
        present = [plain(name) for name in self.present or ()]  # « M. Dupont » and « m.  DUPONT » are one member
        away = {plain(name) for name in (*(self.absent or ()), *self.excused)}
        replaced = {
            plain(alternate.sits_for) for alternate in self.alternates
        }  # one seat with the alternate's, listed among the absent or not
        if len(set(present)) != len(present):
            raise PydanticCustomError("jalon_roll", "un membre présent est nommé deux fois")
        if set(present) & away:
            raise PydanticCustomError("jalon_roll", "un membre est à la fois présent et absent")
        if self.seats is not None and len(present) + len(away - replaced) > self.seats:
            raise PydanticCustomError("jalon_roll", "il y a plus de membres présents et absents que de sièges")
        return self

    @model_validator(mode="after")
    def _seats_each_alternate_once(self) -> Self:
        present, replaced = self.present or (), [alternate.sits_for for alternate in self.alternates]
        if any(alternate.name not in present or alternate.sits_for in present for alternate in self.alternates):
            raise PydanticCustomError("jalon_alternate", "un suppléant est parmi les présents, et le membre qu’il remplace n’y est pas")
        if len(set(replaced)) < len(replaced) or len({alternate.name for alternate in self.alternates}) < len(replaced):
            raise PydanticCustomError("jalon_alternate", "un suppléant remplace un seul membre, et un membre n’a qu’un suppléant")
        return self

    @model_validator(mode="after")
    def _gives_each_proxy_once(self) -> Self:
        present, givers = self.present or (), [proxy.giver for proxy in self.proxies]
        moving = {move.name for move in self.movements}
        if set(givers) & (set(present) - moving) or len(set(givers)) < len(givers):
            raise PydanticCustomError("jalon_proxy", "un pouvoir est donné par un membre absent, une seule fois")
        if self.present is not None and any(proxy.holder not in present and proxy.holder not in moving for proxy in self.proxies):
            raise PydanticCustomError("jalon_proxy", "un pouvoir est porté par un membre présent")
        if self.absent is not None and not set(givers) <= {*self.absent, *self.excused, *moving}:
            raise PydanticCustomError("jalon_proxy", "un pouvoir est donné par un membre du conseil, parmi les absents ou les excusés")
        if set(givers) & {alternate.sits_for for alternate in self.alternates}:
            raise PydanticCustomError("jalon_proxy", "un membre remplacé par son suppléant ne donne pas de pouvoir")
        return self

    @model_validator(mode="after")
    def _moves_who_can(self) -> Self:
        sitting, replaced = set(self.present or ()), {alternate.sits_for: alternate.name for alternate in self.alternates}
        members = {*sitting, *(self.absent or ()), *self.excused}
        for move in sorted(self.movements, key=lambda move: move.before_item):
            if (move.name in sitting) != (move.moves == "leaves"):
                raise PydanticCustomError("jalon_movement", "un membre arrive s’il n’est pas là, et part s’il y est")
            if self.absent is not None and move.name not in members:
                raise PydanticCustomError("jalon_movement", "un membre qui arrive était absent ou excusé à l’appel")
            if replaced.get(move.name) in sitting:
                raise PydanticCustomError("jalon_movement", "un membre n’arrive qu’une fois parti le suppléant qui siège à sa place")
            sitting ^= {move.name}
        return self

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.present is None:
            return self
        votes: list[tuple[int | None, int]] = [
            (item.number, item.votes_for + item.votes_against + item.abstentions) for item in self.agenda
        ]
        for item, voices in votes or [(self.item, sum(count or 0 for count in self.vote))]:
            most = len(self._sitting(item)) + len(self._held(item))
            if self.seats is not None and most > self.seats:
                raise PydanticCustomError("jalon_roll", "il y a plus de présents et de pouvoirs que de sièges")
            if voices > most:
                raise PydanticCustomError("jalon_votes", "il y a plus de voix que de membres présents et de pouvoirs")
        return self


class Conditions(Payload):
    """The conditions that the board validates."""

    rate: Euros = Field(title="Montant par stagiaire, en euros")
    cap: Annotated[int, Field(ge=1, le=10_000), WHOLE] = Field(title="Nombre maximal de stagiaires")
    department: Department = Field(title="Département de résidence exigé")
    academic_year: AcademicYear = Field(title="Année universitaire")


class ConditionsValidated(Deliberation):
    """The act of the signature: a deliberation and the conditions it validates."""

    conditions: Conditions = Field(title="Conditions validées")


class Termination(Deliberation):
    """A deliberation that ends the partnership, with its motive."""

    motive: Paragraph = Field("", title="Motif")


class Transmission(Request):
    """The prefect has received an act."""

    dated_by: ClassVar[str] = "transmitted_on"

    act: Number | None = Field(None, title="Numéro d’ordre de la délibération dans le dossier", description="La dernière si absent")
    transmitted_on: Day = Field(title="Date de réception par le préfet")
    receipt_number: Line = Field(title="Numéro de l’accusé de réception")


class Publication(Request):
    """An act is published."""

    dated_by: ClassVar[str] = "published_on"

    act: Number | None = Field(None, title="Numéro d’ordre de la délibération dans le dossier", description="La dernière si absent")
    published_on: Day = Field(title="Date de publication")
    address: Line = Field(title="Où elle est publiée (adresse)")


class QuorumRuleVerified(Request):
    """Somebody has read the text of the quorum rule that the board's settings name."""

    dated_by: ClassVar[str] = "verified_on"

    verified_on: Day = Field(title="Date de la vérification")
    text: Line = Field(title="Texte lu (référence et version)")


class AppealRecorded(Request):
    """Somebody contests an act, or has been answered: the windows for going to court move."""

    dated_by: ClassVar[str] = "lodged_on"

    act: Number | None = Field(None, title="Numéro d’ordre de la délibération dans le dossier", description="La dernière si absent")
    by: Literal["third_party", "prefect"] = Field(title="Auteur du recours", description="third_party : un tiers ; prefect : le préfet")
    lodged_on: Day = Field(title="Date du recours gracieux")
    decided_on: Day | None = Field(None, title="Date de la réponse")

    @model_validator(mode="after")
    def _is_answered_after_it_is_lodged(self) -> Self:
        if self.decided_on is not None and self.decided_on < self.lodged_on:
            raise PydanticCustomError("jalon_order", "la réponse suit le recours")
        return self
