"""The parties of a dispute: who goes to court against a vendor, and whose case has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskwatch.detect.compiled import Capture
from riskwatch.detect.mask import Token
from riskwatch.detect.match import Candidate
from riskwatch.detect.readings import NEAR_CHARS, Readings, Subject, clause, distance, put_token
from riskwatch.detect.vendors import Attribution, Scene


def plaintiff(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Who goes to court: a company that sues, else whoever stands before the trigger or is named as agent."""
    del subject
    accused = candidate.groups.get("v", (0, 0))
    for number in scene.companies:
        token = scene.masked.tokens[number]
        is_accused = accused[0] <= scene.masked.starts[number] < accused[1]
        if "plaintiff" in scene.roles[number] and token.vendor != vendor.vendor and not is_accused:
            put_token(capture, token, scene, readings)
            return
    _put_nearest(capture, candidate, scene, readings, [*_parties(candidate, scene, vendor)])


def counterparty(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Whose case it was: whoever owns a noun of the clause ("the authors' suit") or is named as agent."""
    del subject
    parties = [*_parties(candidate, scene, vendor)]
    owning = [one for one in parties if one.owns or one.is_agent]
    _put_nearest(capture, candidate, scene, readings, owning)


@dataclass(frozen=True, slots=True)
class _Party:
    """Somebody who may be the other side of a dispute."""

    span: tuple[int, int]  # in the masked sentence
    is_agent: bool  # whether a preposition names it: sued by them
    owns: bool  # whether a noun of the clause is its own: their suit, the Smith suit
    token: Token | None = None
    name: str = ""  # of a kind of people


def _parties(candidate: Candidate, scene: Scene, vendor: Attribution) -> Iterator[_Party]:
    """Yield who of the clause may be a party: neither the vendor, nor its people, nor its co-accused."""
    masked, accused = scene.masked, candidate.groups.get("v", (0, 0))
    for number, token in enumerate(masked.tokens):
        span = masked.starts[number], masked.ends[number]
        is_own = token.vendor == vendor.vendor or any(
            employer == vendor.vendor for employer, _ in token.posts
        )
        if token.kind in "POV" and not is_own and not accused[0] <= span[0] < accused[1]:
            made = _party(candidate, scene, span, token=token)
            if made is not None and (token.kind == "P" or made.is_agent or made.owns):
                yield made
    for match in scene.pack.words["party"].finditer(masked.text):
        name = match.name()
        made = _party(candidate, scene, match.span(), name=name) if name else None
        if made is not None:
            yield made


def _party(
    candidate: Candidate, scene: Scene, span: tuple[int, int], *, token: Token | None = None, name: str = ""
) -> _Party | None:
    """Return what may be a party, if it stands in the clause: before the trigger, as agent or as owner."""
    low, high = clause(scene, candidate.trigger)
    if not low <= span[0] < high:
        return None
    words, text = scene.pack.words, scene.masked.text
    before = text[max(low, span[0] - NEAR_CHARS) : span[0]]
    if words["no_party"].hits(before):
        return None
    is_agent = words["agent"].hits(before)
    behind = text[span[1] : high]
    owns = words["possessive"].hits(behind) or words["own_case"].hits(behind)
    is_before = span[1] <= candidate.trigger[1]
    return _Party(span, is_agent, owns, token, name) if is_before or is_agent or owns else None


def _put_nearest(
    capture: Capture, candidate: Candidate, scene: Scene, readings: Readings, parties: Sequence[_Party]
) -> None:
    """Read the party nearest to the trigger."""
    if not parties:
        return
    party = min(parties, key=lambda one: distance(candidate.trigger, one.span))
    if party.token is not None:
        put_token(capture, party.token, scene, readings)
    else:
        readings.put(capture.attribute, party.name, scene.masked.span(*party.span))
