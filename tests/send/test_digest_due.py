"""Fault 30: every local date (week, month) gives exactly one digest, in order, in every zone of the world."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import cycle, islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.send.digest import DAYS, Due, next_due

ZONES = sorted(available_timezones() - {"localtime"})
START, END = date(2024, 1, 1), date(2031, 1, 1)
LATE = datetime(2032, 1, 1, tzinfo=UTC)
HOURS = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]


def run(first: datetime, until: datetime, **rule: object) -> Iterator[Due]:
    due = next_due(first, **rule)  # type: ignore[arg-type] # the rule is spread over the parameters
    while due.at < until:
        yield due
        due = next_due(due.at, **rule)  # type: ignore[arg-type] # as above


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type] # year, month, day, hour ...


def local(due: Due, zone: str) -> str:
    return due.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")


# ------------------------------------------------------------------------------------------- single rules
def test_a_wall_time_that_the_clock_change_skips_is_due_after_the_gap() -> None:
    due = next_due(utc(2026, 3, 28, 12), local_time="02:30", zone="Europe/Berlin")

    assert due.period == date(2026, 3, 29)
    assert local(due, "Europe/Berlin") == "2026-03-29 03:00 CEST"


def test_a_wall_time_that_comes_twice_is_due_the_first_time_only() -> None:
    due = next_due(utc(2026, 10, 24, 12), local_time="02:30", zone="Europe/Berlin")
    following = next_due(due.at, local_time="02:30", zone="Europe/Berlin")

    assert local(due, "Europe/Berlin") == "2026-10-25 02:30 CEST"
    assert following.period == date(2026, 10, 26)


def test_day_31_is_the_last_day_of_a_shorter_month() -> None:
    periods = [
        due.period
        for due in run(
            utc(2028, 1, 1), utc(2028, 5, 1), local_time="08:00", zone="Asia/Tokyo", day_of_month=31
        )
    ]

    assert periods == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]


@pytest.mark.parametrize("wall", ["00:00", "08:00", "23:59"])
def test_the_day_that_samoa_left_out_gives_no_digest(wall: str) -> None:
    rule = {"local_time": wall, "zone": "Pacific/Apia"}
    periods = [due.period for due in run(utc(2011, 12, 28), utc(2012, 1, 3), **rule)]

    assert date(2011, 12, 30) not in periods
    assert {date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)} < set(periods)


def test_the_weekly_digest_of_new_york_is_not_lost_in_spring() -> None:
    rule = {"local_time": "00:15", "zone": "America/New_York", "days": ["mon"]}
    dues = list(run(utc(2026, 3, 1), utc(2026, 4, 1), **rule))

    assert [due.period.day for due in dues] == [2, 9, 16, 23, 30]


def test_the_due_time_is_later_than_the_one_given_never_equal() -> None:
    at = utc(2026, 5, 4, 6)

    assert next_due(at, local_time="08:00", zone="Europe/Berlin").at == at + timedelta(days=1)


def test_a_user_who_moves_west_gets_no_second_digest_for_the_same_date() -> None:
    sent = next_due(utc(2026, 5, 3, 12), local_time="08:00", zone="Pacific/Auckland")
    again = next_due(sent.at, local_time="08:00", zone="Pacific/Honolulu", last_period=sent.period)

    assert sent.period == date(2026, 5, 4)
    assert again.period == date(2026, 5, 5)
    assert next_due(sent.at, local_time="08:00", zone="Pacific/Honolulu").period == sent.period


def test_a_clock_that_jumped_back_a_month_repeats_no_period() -> None:
    due = next_due(utc(2026, 4, 4), local_time="08:00", zone="UTC", last_period=date(2026, 5, 4))

    assert due.period == date(2026, 5, 5)


def test_thirty_days_asleep_are_one_digest() -> None:
    rule = {"local_time": "08:00", "zone": "UTC"}
    missed = next_due(utc(2026, 4, 1, 9), **rule)  # type: ignore[arg-type] # as above

    assert next_due(utc(2026, 5, 1, 9), **rule, last_period=missed.period).period == date(2026, 5, 2)  # type: ignore[arg-type] # as above


def test_a_rule_that_means_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is due"):
        next_due(utc(2026, 1, 1), local_time="08:00", zone="UTC", days=["someday"])


# ------------------------------------------------------------------------------------------- all zones
def check(zone: str, wall: str, dues: list[Due], dates: list[date]) -> None:
    """Each date once, in order; the wall shows the time asked for, or the end of a gap that swallowed it."""
    tz, asked = ZoneInfo(zone), time.fromisoformat(wall)
    assert [due.period for due in dues] == dates
    for earlier, later in pairwise(dues):
        assert earlier.at < later.at
    for due in dues:
        shown = due.at.astimezone(tz)
        wanted = datetime.combine(due.period, asked)
        if shown.replace(tzinfo=None) == wanted:
            assert shown.fold == 0
        else:
            before = (due.at - timedelta(seconds=1)).astimezone(tz).replace(tzinfo=None)
            assert before < wanted < shown.replace(tzinfo=None), f"{zone} {wall} {due}"


def dates_between(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days)]


def from_midnight(zone: str, day: date) -> datetime:
    """Return the last second before the date begins in the zone."""
    return (datetime.combine(day, time(), ZoneInfo(zone)) - timedelta(seconds=1)).astimezone(UTC)


@given(
    zone=st.sampled_from(ZONES),
    wall=st.sampled_from(HOURS),
    start=st.dates(START, date(2030, 10, 1)),
)
@settings(max_examples=100, deadline=None)
def test_every_local_date_of_a_season_is_one_period(zone: str, wall: str, start: date) -> None:
    dates = dates_between(start, start + timedelta(days=60))
    dues = list(
        run(
            from_midnight(zone, start),
            from_midnight(zone, dates[-1]) + timedelta(days=2),
            local_time=wall,
            zone=zone,
        )
    )

    check(zone, wall, dues[: len(dates)], dates)


@cache
def behaviours() -> Mapping[str, tuple[date, ...]]:
    """Return one zone for each way in which clocks went or will go in these years, and when they changed."""
    first = datetime(2023, 12, 30, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in range((END - START).days + 4)]
    named: dict[tuple[object, ...], tuple[str, tuple[date, ...]]] = {}
    for zone in ZONES:
        tz = ZoneInfo(zone)
        offsets = [tz.utcoffset(day.astimezone(tz)) for day in days]
        changed = [day for day, (old, new) in zip(days, pairwise(offsets), strict=False) if old != new]
        hours = [day + timedelta(hours=n) for day in changed for n in range(1, 25)]
        way = (offsets[0], *((hour, tz.utcoffset(hour.astimezone(tz))) for hour in hours))
        named.setdefault(way, (zone, tuple((day + timedelta(hours=12)).date() for day in changed)))
    return dict(named.values())


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["daily", "weekly", "monthly"])
def test_every_period_of_seven_years_comes_once_in_every_zone(rule: str) -> None:
    days = dates_between(START, END)
    rules: dict[str, dict[str, object]] = {
        "daily": {},
        "weekly": {"days": ["thu"]},
        "monthly": {"day_of_month": 31},
    }
    wanted = {
        "daily": days,
        "weekly": [day for day in days if DAYS[day.weekday()] == "thu"],
        "monthly": [day for day in days if (day + timedelta(days=1)).day == 1],
    }[rule]
    for zone, wall in zip(behaviours(), cycle(HOURS), strict=False):
        first, last = from_midnight(zone, START), from_midnight(zone, END)
        check(zone, wall, list(run(first, last, local_time=wall, zone=zone, **rules[rule])), wanted)


@pytest.mark.slow
def test_every_day_around_every_clock_change_comes_once_at_every_hour() -> None:
    for zone, changes in behaviours().items():
        for change in changes:
            days = dates_between(change - timedelta(days=2), change + timedelta(days=3))
            first, last = from_midnight(zone, days[0]), from_midnight(zone, days[-1] + timedelta(days=1))
            for wall in HOURS[::2]:
                check(zone, wall, list(run(first, last, local_time=wall, zone=zone)), days)


@pytest.mark.parametrize("rule", ["weekly", "monthly"])
def test_the_day_of_a_clock_change_is_one_week_and_one_month(rule: str) -> None:
    for zone, changes in behaviours().items():
        for change in changes:
            for day in dates_between(change - timedelta(days=1), change + timedelta(days=2)):
                meant: dict[str, object] = (
                    {"days": [DAYS[day.weekday()]]} if rule == "weekly" else {"day_of_month": day.day}
                )
                begun = from_midnight(zone, day - timedelta(days=1))
                for wall in HOURS[:10:3]:
                    dues = run(begun, LATE, local_time=wall, zone=zone, **meant)
                    due, following = islice(dues, 2)
                    check(zone, wall, [due], [day])
                    assert following.period - day >= timedelta(days=7), f"{zone} {wall} {following}"
