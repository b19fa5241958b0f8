"""Working days and clear deadlines (délais francs) in the calendar of the centre: dates that follow from dates, no clock.

What is a public holiday is what `holidays` says for the place; it is imported on first use, so that the command line starts fast.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, date, timedelta
from functools import cache
from types import MappingProxyType

from states.values.french import counted, listed
from states.values.law import Source

# Which subdivision of France `holidays` must be asked for; None is the country without local days.
# Alsace is "6AE" and Moselle "57": the same days under two codes, one local law, hence one calendar here.
CALENDARS: Mapping[str, str | None] = MappingProxyType(
    {
        "metropole": None,
        "alsace-moselle": "6AE",
        "guadeloupe": "971",
        "martinique": "972",
        "guyane": "973",
        "la-reunion": "974",
        "mayotte": "976",
        "saint-barthelemy": "BL",
        "saint-martin": "MF",
        "saint-pierre-et-miquelon": "PM",
        "polynesie-francaise": "PF",
        "nouvelle-caledonie": "NC",
        "wallis-et-futuna": "WF",
        "terres-australes": "TF",
    }
)
# After 2100 `holidays` knows no day at all, and would let a deadline end at Christmas. Before 1900 nothing here was checked.
FIRST_YEAR, LAST_YEAR = 1900, 2100

SAME_DAY = Source("Code de procédure civile, art. 641", verified=True)
WORKING_DAY = Source("Code de procédure civile, art. 642", verified=True)
CLEAR = Source("Conseil d’État, 5 octobre 2018, n° 409579 : les délais de recours sont francs, sauf texte contraire", verified=False)

ONE_DAY = timedelta(days=1)
SATURDAY = 5


def holiday_name(day: date, calendar: str) -> str | None:
    """The French name of a public holiday, or None on any other day.

    « Ascension et Fête du Travail » when two meet. ValueError for an unknown calendar, or a year that it does not cover.
    """
    _assert_known(calendar, day)
    return _holidays(calendar, day.year).get(day)


def is_working_day(day: date, calendar: str) -> bool:
    """Whether the day is « ouvré »: no Saturday, no Sunday, no public holiday (CPC art. 642 counts Saturdays out)."""
    return holiday_name(day, calendar) is None and day.weekday() < SATURDAY


def next_working_day(day: date, calendar: str) -> date:
    """That day when it is worked, else the first one after it that is (CPC art. 642, second paragraph)."""
    while not is_working_day(day, calendar):
        day += ONE_DAY
    return day


def add_working_days(day: date, n: int, calendar: str) -> date:
    """The n-th working day after `day`, which does not count itself (CPC art. 641, first paragraph); `day` when n is 0."""
    _at_least(0, n)
    _assert_known(calendar, day)
    while n:
        day = next_working_day(day + ONE_DAY, calendar)
        n -= 1
    return day


def add_months(day: date, n: int) -> date:
    """The day of the same number n months later, or the last of that month when it has none: 31 December + 2 is 28 February.

    CPC art. 641, second paragraph: « le jour du dernier mois […] qui porte le même quantième […]. A défaut d’un quantième
    identique, le délai expire le dernier jour du mois. » Nothing is moved to a working day here.
    """
    _at_least(0, n)
    years, month = divmod(day.month - 1 + n, 12)
    year = day.year + years
    if not MINYEAR <= year <= MAXYEAR:
        raise ValueError(f"il n’y a pas de date en {year}")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def clear_deadline(start: date, months: int, calendar: str) -> date:
    """The last day of a délai franc of so many months that an act, its publication or its notification opens on `start`.

    Neither the first day nor the day of expiry counts, so it ends on the day after the same day of the month (`CLEAR`, `SAME_DAY`);
    on a Saturday, a Sunday or a public holiday it is carried to the next working day (`WORKING_DAY`). How many
    months an appeal may take is a figure of `states.values.law`.
    """
    _at_least(1, months)
    return next_working_day(_later(add_months(start, months), 1), calendar)


def clear_days(start: date, days: int, calendar: str) -> date:
    """The last day of a délai franc of so many days: neither the first nor the last counts, then the next working day.

    Same sources as `clear_deadline`. It is a time within which to act. A time to wait before a meeting is another matter:
    counted backwards from the meeting, it is not carried to a working day.
    """
    _at_least(1, days)
    return next_working_day(_later(start, days + 1), calendar)


@cache
def _holidays(calendar: str, year: int) -> Mapping[date, str]:
    # One whole year, never touched again: an object of `holidays` fills itself while it is read, which two threads may not share.
    from holidays import country_holidays

    named = country_holidays("FR", subdiv=CALENDARS[calendar], years=year, expand=False, language="fr").items()
    return MappingProxyType({day: listed(name.replace("'", "’").split("; ")) for day, name in named})


def _assert_known(calendar: str, day: date) -> None:
    if calendar not in CALENDARS:
        raise ValueError(f"calendrier inconnu : {calendar} ; calendriers possibles : {', '.join(CALENDARS)}")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"les jours fériés ne sont connus que de {FIRST_YEAR} à {LAST_YEAR}, pas en {day.year}")


def _at_least(least: int, given: int) -> None:
    if given < least:
        raise ValueError(f"un délai d’au moins {least} est attendu, pas {given}")


def _later(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise ValueError(f"il n’y a pas de date {counted(days, 'jour', 'jours')} après le {day}") from None
