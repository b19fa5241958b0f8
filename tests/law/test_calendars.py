"""Which days are worked where, and on which day a délai franc ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from datetime import MAXYEAR, date, timedelta
from functools import cache
from typing import get_args

import pytest
from holidays import country_holidays, list_supported_countries
from hypothesis import given
from hypothesis import strategies as st

from states.convention.requests import CdgParty
from states.values.calendars import (
    CALENDARS,
    CLEAR,
    SAME_DAY,
    WORKING_DAY,
    add_months,
    add_working_days,
    clear_days,
    clear_deadline,
    holiday_name,
    is_working_day,
    next_working_day,
)

METROPOLE, ALSACE_MOSELLE = "metropole", "alsace-moselle"
ONE_DAY = timedelta(days=1)

calendars = st.sampled_from(sorted(CALENDARS))
days = st.dates(date(1900, 1, 1), date(2095, 12, 31))


def every_day(first: date, last: date) -> Iterable[date]:
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


# The published examples


def test_an_act_notified_on_1_october_2007_may_be_challenged_until_monday_3_december() -> None:
    """A. Icard's example: 1 October + 2 months + 1 day is Sunday 2 December, carried to Monday."""
    assert clear_deadline(date(2007, 10, 1), 2, METROPOLE) == date(2007, 12, 3)


def test_an_act_notified_on_3_january_2021_may_be_challenged_until_4_march() -> None:
    assert clear_deadline(date(2021, 1, 3), 2, METROPOLE) == date(2021, 3, 4)


def test_a_decision_received_on_12_november_2024_may_be_challenged_until_13_january_2025() -> None:
    assert clear_deadline(date(2024, 11, 12), 2, METROPOLE) == date(2025, 1, 13)


def test_third_parties_may_appeal_until_17_february_2026_against_an_act_executory_on_16_december_2025() -> None:
    assert clear_deadline(date(2025, 12, 16), 2, METROPOLE) == date(2026, 2, 17)


def test_an_order_notified_on_tuesday_20_december_2022_may_be_challenged_fifteen_clear_days_until_5_january() -> None:
    """Conseil d’État, 29 June 2023, n° 470217: an appeal entered on 5 January was in time."""
    assert clear_days(date(2022, 12, 20), 15, METROPOLE) == date(2023, 1, 5)


def test_an_order_notified_on_12_october_2023_may_be_challenged_fifteen_clear_days_until_monday_30() -> None:
    assert clear_days(date(2023, 10, 12), 15, METROPOLE) == date(2023, 10, 30)


# Months


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2025, 12, 31), 2, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 3, 31), 1, date(2026, 4, 30)),
        (date(2026, 2, 28), 1, date(2026, 3, 28)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 1), 13, date(2028, 1, 1)),
        (date(2026, 5, 17), 0, date(2026, 5, 17)),
    ],
)
def test_months_go_from_day_to_day_and_end_with_the_month_when_it_is_too_short(day: date, n: int, expected: date) -> None:
    assert add_months(day, n) == expected


def test_two_clear_months_from_31_december_end_on_the_day_after_february() -> None:
    assert clear_deadline(date(2024, 12, 31), 2, METROPOLE) == date(2025, 3, 3)  # 1 March is a Saturday
    assert clear_deadline(date(2027, 12, 31), 2, METROPOLE) == date(2028, 3, 1)


# What is a holiday where


def test_the_country_has_eleven_holidays_named_in_french() -> None:
    named = {day: name for day in every_day(date(2026, 1, 1), date(2026, 12, 31)) if (name := holiday_name(day, METROPOLE))}
    assert named == {
        date(2026, 1, 1): "Jour de l’an",
        date(2026, 4, 6): "Lundi de Pâques",
        date(2026, 5, 1): "Fête du Travail",
        date(2026, 5, 8): "Fête de la Victoire",
        date(2026, 5, 14): "Ascension",
        date(2026, 5, 25): "Lundi de Pentecôte",
        date(2026, 7, 14): "Fête nationale",
        date(2026, 8, 15): "Assomption",
        date(2026, 11, 1): "Toussaint",
        date(2026, 11, 11): "Armistice",
        date(2026, 12, 25): "Noël",
    }


LOCAL_DAYS = {
    METROPOLE: {},
    ALSACE_MOSELLE: {(4, 3): "Vendredi saint", (12, 26): "Saint-Étienne"},
    "guadeloupe": {
        (3, 12): "Mi-Carême",
        (4, 3): "Vendredi saint",
        (5, 27): "Abolition de l’esclavage",
        (7, 21): "Fête de Victor Schoelcher",
    },
    "martinique": {(5, 22): "Abolition de l’esclavage", (7, 21): "Fête de Victor Schoelcher"},
    "guyane": {(6, 10): "Abolition de l’esclavage"},
    "la-reunion": {(12, 20): "Abolition de l’esclavage"},
    "mayotte": {(4, 27): "Abolition de l’esclavage"},
    "saint-barthelemy": {(10, 9): "Abolition de l’esclavage"},
    "saint-martin": {(5, 28): "Abolition de l’esclavage", (7, 21): "Fête de Victor Schoelcher"},
    "saint-pierre-et-miquelon": {},
    "polynesie-francaise": {(3, 5): "Arrivée de l’Évangile", (4, 3): "Vendredi saint", (11, 20): "Matāri’i"},
    "nouvelle-caledonie": {(9, 24): "Fête de la Citoyenneté"},
    "wallis-et-futuna": {(4, 28): "Saint Pierre Chanel", (6, 29): "Saints Pierre et Paul", (7, 29): "Fête du Territoire"},
    "terres-australes": {},
}


@pytest.mark.parametrize("calendar", CALENDARS)
def test_each_place_adds_its_own_days_to_those_of_the_country(calendar: str) -> None:
    """In 2026. An upgrade of `holidays` that changes one of them must be seen here."""
    year = every_day(date(2026, 1, 1), date(2026, 12, 31))
    added = {(day.month, day.day): holiday_name(day, calendar) for day in year if not holiday_name(day, METROPOLE)}
    assert {day: name for day, name in added.items() if name} == LOCAL_DAYS[calendar]


def test_good_friday_and_26_december_are_worked_everywhere_but_in_alsace_moselle() -> None:
    good_friday, saint_etienne = date(2025, 4, 18), date(2025, 12, 26)
    assert is_working_day(good_friday, METROPOLE)
    assert is_working_day(saint_etienne, METROPOLE)
    assert not is_working_day(good_friday, ALSACE_MOSELLE)
    assert not is_working_day(saint_etienne, ALSACE_MOSELLE)


def test_a_deadline_on_good_friday_is_carried_past_easter_monday_in_alsace_moselle() -> None:
    start = date(2026, 2, 2)
    assert clear_deadline(start, 2, METROPOLE) == date(2026, 4, 3)
    assert clear_deadline(start, 2, ALSACE_MOSELLE) == date(2026, 4, 7)


def test_moselle_and_alsace_have_the_same_days() -> None:
    """So one calendar is enough, though `holidays` has two subdivisions."""
    years = range(1900, 2101)
    moselle, alsace = (dict(country_holidays("FR", subdiv=subdiv, years=years, language="fr")) for subdiv in ("57", "6AE"))
    assert moselle == alsace


def test_every_place_that_the_library_knows_has_a_calendar() -> None:
    places = {place for place in list_supported_countries()["FR"] if not place.startswith("Zone")}
    assert places - {"57"} == set(CALENDARS.values()) - {None}


def test_every_calendar_that_a_centre_may_choose_is_known() -> None:
    assert set(get_args(CdgParty.model_fields["calendar"].annotation)) <= set(CALENDARS)


def test_two_holidays_on_one_day_are_both_named() -> None:
    assert holiday_name(date(2008, 5, 1), METROPOLE) == "Ascension et Fête du Travail"


def test_pentecost_monday_of_2005_to_2007_is_taken_for_a_working_day() -> None:
    """A known limit: `holidays` reads the law of 2004 so. No dossier of jalon is that old."""
    assert [is_working_day(date(*day), METROPOLE) for day in ((2004, 5, 31), (2006, 6, 5), (2008, 5, 12))] == [False, True, False]


# Against the calendar worked out by hand, for twelve years


@cache
def easter(year: int) -> date:
    """The anonymous Gregorian algorithm (Meeus, Jones, Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@cache
def by_hand(year: int, calendar: str) -> frozenset[date]:
    fixed = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)]
    after_easter = [1, 39, 50]
    if calendar == ALSACE_MOSELLE:
        fixed.append((12, 26))
        after_easter.append(-2)
    return frozenset([date(year, *day) for day in fixed] + [easter(year) + timedelta(days=n) for n in after_easter])


def worked(day: date, calendar: str) -> bool:
    return day.isoweekday() < 6 and day not in by_hand(day.year, calendar)


def walked(start: date, months: int, calendar: str) -> date:
    """The deadline found by walking through the calendar a day at a time."""
    day, begun = start, 0
    while begun < months or (day.day != start.day and (day + ONE_DAY).month == day.month):
        day += ONE_DAY
        begun += day.day == 1
    day += ONE_DAY
    while not worked(day, calendar):
        day += ONE_DAY
    return day


@pytest.mark.parametrize(("calendar", "number"), [(METROPOLE, 11), (ALSACE_MOSELLE, 13)])
def test_the_holidays_are_those_worked_out_by_hand(calendar: str, number: int) -> None:
    for year in range(2024, 2036):
        named = {day for day in every_day(date(year, 1, 1), date(year, 12, 31)) if holiday_name(day, calendar)}
        assert named == by_hand(year, calendar)
        assert len(named) == number


@pytest.mark.parametrize("months", [1, 2, 3, 4])
@pytest.mark.parametrize("calendar", [METROPOLE, ALSACE_MOSELLE])
def test_every_clear_deadline_of_twelve_years_is_the_one_found_day_by_day(calendar: str, months: int) -> None:
    for start in every_day(date(2024, 1, 1), date(2035, 12, 31)):
        assert clear_deadline(start, months, calendar) == walked(start, months, calendar), start


# What always holds


@given(days, st.integers(1, 36), calendars)
def test_a_clear_deadline_is_a_working_day_after_the_months_have_passed(start: date, months: int, calendar: str) -> None:
    deadline = clear_deadline(start, months, calendar)
    assert is_working_day(deadline, calendar)
    assert deadline > add_months(start, months) > start


@given(days, days, st.integers(1, 36), calendars)
def test_who_starts_later_never_ends_earlier(one: date, other: date, number: int, calendar: str) -> None:
    first, second = sorted((one, other))
    assert clear_deadline(first, number, calendar) <= clear_deadline(second, number, calendar)
    assert clear_days(first, number, calendar) <= clear_days(second, number, calendar)


@given(days, st.integers(0, 34), calendars)
def test_who_starts_in_the_same_month_never_ends_earlier(start: date, gap: int, calendar: str) -> None:
    """Where the ends of months meet."""
    later = start + timedelta(days=gap)
    assert clear_deadline(start, 2, calendar) <= clear_deadline(later, 2, calendar)


@given(days, st.integers(1, 400), calendars)
def test_clear_days_leave_all_their_days_between_start_and_deadline(start: date, number: int, calendar: str) -> None:
    deadline = clear_days(start, number, calendar)
    assert (deadline - start).days - 1 >= number
    assert is_working_day(deadline, calendar)
    assert not any(is_working_day(day, calendar) for day in every_day(start + timedelta(days=number + 1), deadline - ONE_DAY))


@given(days, st.integers(0, 120), calendars)
def test_n_working_days_later_exactly_n_days_were_worked(day: date, n: int, calendar: str) -> None:
    end = add_working_days(day, n, calendar)
    assert sum(is_working_day(one, calendar) for one in every_day(day + ONE_DAY, end)) == n
    assert end == day if n == 0 else is_working_day(end, calendar)


@given(days, calendars)
def test_the_next_working_day_is_the_day_itself_when_it_is_worked(day: date, calendar: str) -> None:
    following = next_working_day(day, calendar)
    assert (following == day) == is_working_day(day, calendar)
    assert not any(is_working_day(one, calendar) for one in every_day(day, following - ONE_DAY))


# What is refused

SUNDAY = date(2026, 2, 1)


@pytest.mark.parametrize("calendar", ["", "outre-mer", "Metropole", "971"])
def test_an_unknown_calendar_is_refused_even_on_a_sunday(calendar: str) -> None:
    asked = (
        lambda: holiday_name(SUNDAY, calendar),
        lambda: is_working_day(SUNDAY, calendar),
        lambda: next_working_day(SUNDAY, calendar),
        lambda: add_working_days(SUNDAY, 0, calendar),
        lambda: clear_deadline(SUNDAY, 2, calendar),
        lambda: clear_days(SUNDAY, 5, calendar),
    )
    for ask in asked:
        with pytest.raises(ValueError, match="calendrier inconnu"):
            ask()


@pytest.mark.parametrize("day", [date.min, date(1899, 12, 31), date(2101, 1, 3), date.max])
def test_a_year_whose_holidays_are_not_known_is_refused(day: date) -> None:
    """`holidays` itself would say that nothing is a holiday after 2100."""
    with pytest.raises(ValueError, match="de 1900 à 2100"):
        holiday_name(day, METROPOLE)
    with pytest.raises(ValueError, match="de 1900 à 2100"):
        add_working_days(day, 1, METROPOLE)


def test_a_deadline_beyond_2100_is_refused_and_the_last_one_before_is_told() -> None:
    assert clear_deadline(date(2100, 10, 30), 2, METROPOLE) == date(2100, 12, 31)
    with pytest.raises(ValueError, match="de 1900 à 2100"):
        clear_deadline(date(2100, 10, 31), 2, METROPOLE)


@pytest.mark.parametrize("number", [12 * MAXYEAR, 10**20])
def test_a_delay_beyond_all_dates_is_refused(number: int) -> None:
    asked = (
        lambda: add_months(SUNDAY, number),
        lambda: clear_deadline(SUNDAY, number, METROPOLE),
        lambda: clear_days(SUNDAY, 31 * number, METROPOLE),
    )
    for ask in asked:
        with pytest.raises(ValueError, match="il n’y a pas de date"):
            ask()


def test_a_delay_ending_on_the_last_of_all_days_is_refused() -> None:
    with pytest.raises(ValueError, match="il n’y a pas de date 1 jour après le 9999-12-31"):
        clear_deadline(date(9999, 10, 31), 2, METROPOLE)


def test_no_delay_goes_backwards_and_a_clear_one_is_at_least_one() -> None:
    asked = (
        lambda: add_months(SUNDAY, -1),
        lambda: add_working_days(SUNDAY, -1, METROPOLE),
        lambda: clear_deadline(SUNDAY, 0, METROPOLE),
        lambda: clear_days(SUNDAY, 0, METROPOLE),
    )
    for ask in asked:
        with pytest.raises(ValueError, match="délai d’au moins"):
            ask()


# What the rest of jalon relies on


def test_a_source_that_nobody_read_says_so() -> None:
    assert [str(source) for source in (SAME_DAY, WORKING_DAY)] == [
        "Code de procédure civile, art. 641",
        "Code de procédure civile, art. 642",
    ]
    assert str(CLEAR).endswith("(texte non vérifié)")


def test_the_library_is_not_loaded_before_a_holiday_is_asked_for() -> None:
    asked = "import sys, states.values.calendars; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
