"""Whom a candidate is about: the persons that its frame names, or the one whose post it names."""

from __future__ import annotations

from riskwatch.detect.mask import Masked, Token
from riskwatch.detect.match import Candidate
from riskwatch.detect.patterns import compile_pattern
from riskwatch.detect.readings import Subject
from riskwatch.detect.vendors import Scene

POST_CHARS = 60  # behind the trigger, where a frame without a person has its post
_AFTER_POST = compile_pattern(r"^,? $")  # "research chief Dana Ortiz"
_BEFORE_POST = compile_pattern(r"^, (?:[^,;:.«»]|«[VO][0-9]+»){0,40}$")  # "Dana Ortiz, longtime design chief"


def subjects(candidate: Candidate, scene: Scene) -> tuple[Subject, ...]:
    """Return one subject a coordinated person where the event is about persons, else one in all."""
    who = candidate.groups.get("who")
    people = [scene.masked.tokens[number] for number in scene.masked.inside(*who, "P")] if who else []
    if not candidate.rule.needs_person:
        return (Subject(None, len(people)),)
    distinct = {token.name: token for token in reversed(people)}
    if not distinct:
        holder = _holder(candidate, scene.masked)
        return (Subject(holder, 0 if holder is None else 1),)
    return tuple(
        Subject(token, len(distinct)) for token in sorted(distinct.values(), key=lambda token: token.start)
    )


def _holder(candidate: Candidate, masked: Masked) -> Token | None:
    """Return the person right beside the post that the frame names, or has first behind its trigger."""
    start = candidate.trigger[0]
    posts = masked.inside(*candidate.groups.get("who", (start, start + POST_CHARS)), "R")
    for post in posts[:1]:
        for number in masked.inside(0, len(masked.text), "P"):
            if _AFTER_POST.hits(masked.text[masked.ends[post] : masked.starts[number]]) or _BEFORE_POST.hits(
                masked.text[masked.ends[number] : masked.starts[post]]
            ):
                return masked.tokens[number]
    return None
