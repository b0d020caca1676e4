"""Finders of attributes: they look at the tokens and words near the trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from riskwatch.detect.compiled import Capture
from riskwatch.detect.mask import Masked, Token, capitalised, role_code
from riskwatch.detect.match import Candidate
from riskwatch.detect.parties import counterparty, plaintiff
from riskwatch.detect.quantity import read_date, read_month
from riskwatch.detect.readings import (
    NEAR_CHARS,
    Readings,
    Subject,
    clause,
    distance,
    jurisdiction_of,
    put_token,
    stamp,
)
from riskwatch.detect.tense import tense
from riskwatch.detect.vendors import Attribution, Scene

BOARD_MEMBER = "board_member"  # code of the post
ADJOINING_CHARS = 2  # a comma and a space


def nearest(masked: Masked, trigger: tuple[int, int], kinds: str, *, limits: tuple[int, int]) -> int | None:
    """Return the token of the kinds nearest to the trigger, the one after it on a tie."""
    best: tuple[int, int, int] | None = None
    for number, token in enumerate(masked.tokens):
        low, high = masked.starts[number], masked.ends[number]
        if token.kind not in kinds or low < limits[0] or high > limits[1]:
            continue
        is_before = high <= trigger[0]
        away = distance(trigger, (low, high))
        if away <= NEAR_CHARS and (best is None or (away, is_before, number) < best):
            best = (away, is_before, number)
    return best[2] if best else None


def _put_closest(
    capture: Capture, candidate: Candidate, scene: Scene, readings: Readings, numbers: Iterable[int]
) -> None:
    """Read whichever of the tokens is closest to the trigger, the first on a tie."""
    masked = scene.masked
    number = min(
        numbers,
        key=lambda n: (distance(candidate.trigger, (masked.starts[n], masked.ends[n])), n),
        default=None,
    )
    if number is not None:
        put_token(capture, masked.tokens[number], scene, readings)


def _near(kinds: str, *, in_clause: bool = True) -> Callable[..., None]:
    def find(
        capture: Capture,
        candidate: Candidate,
        scene: Scene,
        subject: Subject,
        vendor: Attribution,
        readings: Readings,
    ) -> None:
        del subject, vendor
        limits = clause(scene, candidate.trigger) if in_clause else (0, len(scene.masked.text))
        number = nearest(scene.masked, candidate.trigger, kinds, limits=limits)
        if number is not None:
            put_token(capture, scene.masked.tokens[number], scene, readings)

    return find


def _counted(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Nearest number of the clause that counts people or jobs."""
    del subject, vendor
    masked, limits = scene.masked, clause(scene, candidate.trigger)
    counting = (
        n
        for n in masked.inside(*limits, "N")
        if distance(candidate.trigger, (masked.starts[n], masked.ends[n])) <= NEAR_CHARS
        and scene.pack.words["counted"].hits(masked.text[masked.ends[n] : limits[1]])
        and not scene.pack.words["out_of"].hits(masked.text[: masked.starts[n]])
    )
    _put_closest(capture, candidate, scene, readings, counting)


def _own_percent(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """First percentage behind the trigger that no other company or index stands before."""
    del subject, vendor
    masked, trigger = scene.masked, candidate.trigger
    for number in masked.inside(trigger[0], min(len(masked.text), trigger[1] + NEAR_CHARS), "Q"):
        between = masked.text[trigger[1] : masked.starts[number]]
        is_other = bool(masked.inside(trigger[1], masked.starts[number], "VO"))
        if not is_other and not scene.pack.words["market_index"].hits(between):
            put_token(capture, masked.tokens[number], scene, readings)
        return


def _date_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Nearest date of the clause, else a month right behind the trigger ("will shut down in October")."""
    del subject, vendor
    limits, pack, text = clause(scene, candidate.trigger), scene.pack, scene.masked.original
    event = scene.masked.span(*candidate.trigger)
    number = nearest(scene.masked, candidate.trigger, "D", limits=limits)
    if number is not None:
        token = scene.masked.tokens[number]
        span, reader = (token.start, token.end), read_date
    else:
        high = min(scene.masked.span(*limits)[1], event[1] + NEAR_CHARS)
        month = pack.words["month"].search(text[:high], len(text[: event[1]].encode()))
        if month is None or pack.words["detaches"].hits(text[event[1] : month.start()]):
            return
        span, reader = month.span(), read_month
    told = tense(text, span, pack=pack, event=event)
    read = reader(text[span[0] : span[1]], scene.item, pack=pack, told=told)
    readings.put(capture.attribute, stamp(read) if read else None, span)


def _role_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Seat on the board, if that is left; role beside the person or trigger; else that of the register."""
    seat = _seat(candidate, scene)
    if seat is not None:
        readings.put(capture.attribute, BOARD_MEMBER, seat)
        readings.put("role_text", scene.masked.original[slice(*seat)], seat)
        return
    token = _role_token(candidate, scene, subject)
    if token is not None:
        put_token(capture, token, scene, readings)
        return
    for employer, known in subject.person.posts if subject.person is not None else ():
        if employer == vendor.vendor and subject.person is not None:
            span = (subject.person.start, subject.person.end)
            readings.put(capture.attribute, role_code(known.role, scene.pack) or "other", span)
            readings.put("role_text", known.role, span)
            return


def _seat(candidate: Candidate, scene: Scene) -> tuple[int, int] | None:
    """Return the span of a seat on the board that stands right behind the trigger, or as its last word."""
    text, (start, end) = scene.masked.text, candidate.trigger
    for at in (end, text.rfind(" ", start, end) + 1):
        found = scene.pack.words["board_seat"].search(text[at:])
        if found is not None:
            low, high = found.span(found.groupindex.get("seat", 0))
            return scene.masked.span(at + low, at + high)
    return None


def _role_token(candidate: Candidate, scene: Scene, subject: Subject) -> Token | None:
    masked = scene.masked
    anchor = candidate.groups.get("who")
    person = subject.person
    if person is not None:
        number = masked.tokens.index(person)
        low, high = masked.starts[number], masked.ends[number]
        stop = _before_next_person(masked, number)
        if subject.people > 1 and candidate.trigger[0] >= high:
            stop = min(stop, candidate.trigger[0])  # a post behind the verb is not that of one of several
        limits = (max(0, low - 4 - 8), stop)
        found = nearest(masked, (low, high), "R", limits=limits)
        if found is not None and (_adjoins(masked, found, low, high) or subject.people <= 1):
            return masked.tokens[found]
    elif anchor is not None:
        inside = masked.inside(*anchor, "R")
        if inside:
            return masked.tokens[inside[0]]
    stop = min(candidate.trigger[1] + 40, clause(scene, candidate.trigger)[1])
    after = masked.inside(candidate.trigger[1], stop, "RP")
    is_own = bool(after) and masked.tokens[after[0]].kind == "R" and subject.people <= 1
    return masked.tokens[after[0]] if is_own else None


def _adjoins(masked: Masked, number: int, low: int, high: int) -> bool:
    start, end = masked.starts[number], masked.ends[number]
    return 0 <= low - end <= ADJOINING_CHARS or 0 <= start - high <= NEAR_CHARS


def _before_next_person(masked: Masked, number: int) -> int:
    following = [
        start for n, start in enumerate(masked.starts) if n > number and masked.tokens[n].kind == "P"
    ]
    return min([*following, masked.ends[number] + 60])


def _product_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Nearest name of the vendor that belongs to a line."""
    del subject
    tokens = scene.masked.tokens
    own = (n for n in scene.vendors if tokens[n].vendor == vendor.vendor and tokens[n].line is not None)
    _put_closest(capture, candidate, scene, readings, own)


def _horizon_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    del subject, vendor
    start, _ = scene.masked.span(*candidate.trigger)
    text = scene.masked.original
    low, high = (len(text[:at].encode()) for at in (max(0, start - NEAR_CHARS), start + 2 * NEAR_CHARS))
    match = scene.pack.words["horizon"].search(text, low, stop=high)
    if match:
        readings.put(capture.attribute, match.group().lower(), match.span())


def _dest(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    del subject
    masked = scene.masked
    numbers = list(masked.inside(*candidate.groups["taker"], "VO")) if "taker" in candidate.groups else []
    numbers += [number for number in scene.companies if "destination" in scene.roles[number]]
    for number in numbers:
        if masked.tokens[number].vendor != vendor.vendor:
            put_token(capture, masked.tokens[number], scene, readings)
            return
    name = _unknown_destination(candidate, scene)
    if name is not None:
        readings.put(capture.attribute, masked.words(*name), masked.span(*name))


def _unknown_destination(candidate: Candidate, scene: Scene) -> tuple[int, int] | None:
    """Return the name behind the trigger that words of joining stand right before."""
    text, start = scene.masked.text, candidate.trigger[0]
    for low, high, _ in capitalised(text[start : start + 2 * NEAR_CHARS], scene.pack):
        if scene.pack.words["joins"].hits(text[start : start + low]):
            return start + low, start + high
    return None


def _country_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Whose authorities act: the nearest place before the trigger, or behind it as agent or scene."""
    del subject, vendor
    low, high = clause(scene, candidate.trigger)
    words, text = scene.pack.words, scene.masked.text
    found: list[tuple[int, str, tuple[int, int]]] = []
    for match in words["jurisdiction"].finditer(text):
        span, name = match.span(), jurisdiction_of(match)
        if name is None or not low <= span[0] < high:
            continue
        if span[1] <= candidate.trigger[1] or words["scene"].hits(
            text[max(low, span[0] - NEAR_CHARS) : span[0]]
        ):
            found.append((distance(candidate.trigger, span), name, span))
    if found:
        _, name, span = min(found)
        readings.put(capture.attribute, name, scene.masked.span(*span))


def _org_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Nearest company of the clause that is not the vendor itself."""
    del subject
    masked, limits = scene.masked, clause(scene, candidate.trigger)
    others = (
        n
        for n in scene.companies
        if masked.tokens[n].vendor != vendor.vendor and limits[0] <= masked.starts[n] < limits[1]
    )
    _put_closest(capture, candidate, scene, readings, others)


FIND: Mapping[str, Callable[..., None]] = {
    "role_near": _role_near,
    "product_near": _product_near,
    "money_near": _near("M"),
    "date_near": _date_near,
    "duration_near": _near("H"),
    "percent_near": _near("Q"),
    "count_near": _near("N"),
    "counted": _counted,
    "own_percent": _own_percent,
    "person_near": _near("P"),
    "horizon_near": _horizon_near,
    "org_near": _org_near,
    "dest": _dest,
    "plaintiff": plaintiff,
    "counterparty": counterparty,
    "country_near": _country_near,
}
