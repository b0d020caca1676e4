"""Numbers, money, durations and dates read from the words of a token; no date library, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from riskwatch.detect.packs import Pack
from riskwatch.detect.patterns import compile_pattern
from riskwatch.detect.regex import Match

MAX_COUNT = 1_000_000_000_000
MIN_YEAR = 1990
MAX_PERCENT = 100
TEN = 10  # signs from here on multiply the digit before them
MONTHS = 12
MAX_YEARS_AHEAD = 5
GRACE = timedelta(days=7)  # a date told as gone by, or to come, may miss the item's by so much
_DIGITS = compile_pattern(r"[0-9][0-9,]*(?:\.[0-9]+)?")


class Tense(Enum):
    """Where the wording puts a time that names no year."""

    PAST = "past"
    AHEAD = "ahead"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class DateRead:
    """What the words of a date say; day and month are None where they say nothing."""

    year: int
    month: int | None
    day: int | None
    is_relative: bool = False
    has_year: bool = True

    @property
    def day_date(self) -> date | None:
        """The day, where the words name one."""
        if self.month is None or self.day is None:
            return None
        try:
            return date(self.year, self.month, self.day)
        except ValueError:
            return None


def read_number(words: str, *, pack: Pack) -> tuple[float, bool] | None:
    """Return the number in the words and whether it is exact."""
    plain = words.lower()
    lead = pack.words["percent_before"].search(plain)
    plain = plain[lead.end() :] if lead else plain
    value, exact = None, True
    digits = _DIGITS.search(plain)
    if digits:
        value, rest = float(digits.group().replace(",", "") or 0), plain[digits.end() :]
    elif plain[:1] in pack.grammar.numerals:
        value, rest = _built(plain, pack)
    else:
        spoken = _spoken(plain, pack)
        if spoken is None:
            return None
        value, exact, rest = spoken
    scale = _scale(rest, pack)
    return value * scale, exact


def _built(plain: str, pack: Pack) -> tuple[float, str]:
    """Return the number that the leading signs build (二十五, 三百) and the rest."""
    total = digit = length = 0
    for sign in plain:
        if sign not in pack.grammar.numerals:
            break
        value = pack.grammar.numerals[sign]
        if value >= TEN:
            total, digit = total + (digit or 1) * value, 0
        else:
            digit = value
        length += 1
    return float(total + digit), plain[length:]


def _spoken(plain: str, pack: Pack) -> tuple[float, bool, str] | None:
    for words, exact in ((pack.numbers, True), (pack.vague, False)):
        for word in sorted(words, key=lambda text: (-len(text), text)):
            if plain.startswith(word):
                return float(words[word]), exact, plain[len(word) :]
    return None


def _scale(rest: str, pack: Pack) -> float:
    plain = rest.strip(" -")
    for word in sorted(pack.grammar.scales, key=lambda text: (-len(text), text)):
        following = plain[len(word) : len(word) + 1]
        if plain.startswith(word) and not (word.isascii() and following.isalpha()):
            return pack.grammar.scales[word]
    return 1.0


def read_percent(words: str, *, pack: Pack) -> float | None:
    """Return percent from 0 to 100, or none."""
    read = read_number(words, pack=pack)
    return read[0] if read is not None and 0 <= read[0] <= MAX_PERCENT else None


def read_money(words: str, *, pack: Pack) -> tuple[float, str] | None:
    """Return an amount and its ISO 4217 code."""
    read = read_number(words, pack=pack)
    if read is None:
        return None
    plain = words.lower()
    for sign in sorted(pack.grammar.currencies, key=lambda text: (-len(text), text)):
        if sign.lower() in plain:
            return read[0], pack.grammar.currencies[sign]
    return None


def read_hours(words: str, *, pack: Pack) -> float | None:
    """Return a duration in hours."""
    read = read_number(words, pack=pack)
    if read is None:
        return None
    plain = words.lower()
    for unit in sorted(pack.grammar.duration_hours, key=lambda text: (-len(text), text)):
        if plain.endswith(unit):
            return round(read[0] * pack.grammar.duration_hours[unit], 4)
    return None


def read_date(words: str, item: date, *, pack: Pack, told: Tense = Tense.UNTOLD) -> DateRead | None:
    """Read a date against the item's date; out-of-bounds dates are none.

    Args:
        words: The words of the date, perhaps with some around it.
        item: The item's date.
        pack: The language.
        told: Where the wording puts it; one that names no year is the nearest on that side.
    """
    for pattern in pack.dates:
        match = pattern.search(words)
        if match is None:
            continue
        read = _of_groups(match, item, pack=pack, told=told)
        if read is not None and MIN_YEAR <= read.year <= item.year + MAX_YEARS_AHEAD:
            return read
    return None


def _of_groups(match: Match, item: date, *, pack: Pack, told: Tense) -> DateRead | None:
    groups = {name: match.group(number) for name, number in match.groupindex.items()}
    if groups.get("relative"):
        return _shifted(item, pack.grammar.relative_days.get(groups["relative"].lower()))
    if groups.get("weekday"):
        return _weekday(match.group(), groups["weekday"], item, pack=pack)
    month = _month(groups.get("month"), pack)
    day = int(groups["day"]) if groups.get("day") else None
    if groups.get("month") and month is None:
        return None
    return _calendar(groups.get("year"), month, day, item=item, told=told)


def _calendar(
    year: str | None, month: int | None, day: int | None, *, item: date, told: Tense
) -> DateRead | None:
    if year:
        return _checked(DateRead(int(year), month, day))
    return None if month is None or day is None else _checked(_nearest_year(month, day, item, told))


def _checked(read: DateRead) -> DateRead | None:
    impossible = read.month is not None and read.day is not None and read.day_date is None
    return None if impossible else read


def _month(word: str | None, pack: Pack) -> int | None:
    if not word:
        return None
    number = int(word) if word.isdigit() else pack.grammar.months.get(word.lower())
    return number if number is not None and 1 <= number <= MONTHS else None


def _shifted(item: date, days: int | None) -> DateRead | None:
    if days is None:
        return None
    shifted = item + timedelta(days=days)
    return DateRead(shifted.year, shifted.month, shifted.day, is_relative=True, has_year=False)


def _weekday(words: str, name: str, item: date, *, pack: Pack) -> DateRead | None:
    wanted = pack.grammar.weekdays.get(name.lower())
    if wanted is None:
        return None
    back = (item.weekday() - wanted) % 7
    if pack.words["weekday_next"].hits(words):
        return _shifted(item, 7 - back)
    return _shifted(item, -back)


def _nearest_year(month: int, day: int, item: date, told: Tense) -> DateRead:
    """A date without a year is the one nearest to the item's date, on the side where it is told to be."""

    def distance(year: int) -> timedelta:
        try:
            off = date(year, month, day) - item
        except ValueError:
            return timedelta.max
        wrong = (told is Tense.PAST and off > GRACE) or (told is Tense.AHEAD and off < -GRACE)
        return timedelta.max if wrong else abs(off)

    year = min((item.year, item.year - 1, item.year + 1), key=distance)
    return DateRead(year, month, day, has_year=False)


def read_month(words: str, item: date, *, pack: Pack, told: Tense = Tense.UNTOLD) -> DateRead | None:
    """Read a month that names neither day nor year: the nearest on the side where it is told to be."""
    months = pack.grammar.months
    month = next((months[word] for word in words.lower().replace(",", " ").split() if word in months), None)
    if month is None:
        return None
    ahead = (month - item.month) % MONTHS
    is_past = ahead > MONTHS // 2 if told is Tense.UNTOLD else told is Tense.PAST and ahead > 0
    back = 12 * item.year + item.month - 1 + ahead - MONTHS * is_past
    return DateRead(back // MONTHS, month, None, has_year=False)
