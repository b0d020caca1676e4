"""Say how a candidate was judged, as one JSON-ready object (detection.md 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskwatch.detect.assertion import Considered, Judged
from riskwatch.detect.mask import Masked
from riskwatch.detect.match import Candidate
from riskwatch.detect.readings import Readings
from riskwatch.detect.sentences import Sentence
from riskwatch.detect.vendors import Attribution
from riskwatch.model import Assertion

Trace = dict[str, object]


def start_trace(
    candidate: Candidate, sentence: Sentence, masked: Masked, *, ruleset: str
) -> dict[str, object]:
    """Return what is known of a candidate before anything is decided; spans are offsets in the field."""
    start, end = masked.span(*candidate.trigger)
    hint = candidate.rule.hint.search(sentence.text)
    return {
        "ruleset": ruleset,
        "rule": candidate.rule.spec.reference,
        "lifecycle": str(candidate.rule.spec.lifecycle),
        "event": candidate.rule.event.id,
        "frame": candidate.frame,
        "field": sentence.field,
        "sentence": [sentence.start, sentence.end],
        "masked": masked.text,
        "trigger": {"span": [sentence.start + start, sentence.start + end], "text": sentence.text[start:end]},
        "prefilter": [hint.group()] if hint else [],
        "blocked": [_blocked(candidate)] if candidate.blocked_by else [],
    }


def _blocked(candidate: Candidate) -> dict[str, object]:
    return {"rule": candidate.rule.spec.reference, "frame": candidate.frame, "by": candidate.blocked_by}


def vendor_trace(vendor: Attribution, sentence: Sentence, masked: Masked) -> dict[str, object]:
    """Return the vendor part."""
    token = masked.tokens[vendor.number] if vendor.number >= 0 else None
    return {
        "id": vendor.vendor,
        "line": vendor.line,
        "route": str(vendor.route),
        "confidence": vendor.confidence,
        "span": [sentence.start + token.start, sentence.start + token.end] if token else None,
    }


def assertion_trace(judged: Judged, sentence: Sentence) -> dict[str, object]:
    """Return the assertion part with every modifier that was seen."""
    return {
        "value": str(judged.value),
        "winner": judged.winner,
        "primary": judged.is_primary,
        "considered": [_considered(entry, sentence) for entry in judged.considered],
    }


def restate(trace: Trace, value: Assertion, reason: str) -> None:
    """Note in a trace that the article as a whole states the event otherwise than its sentence."""
    told = trace["assertion"]
    if isinstance(told, dict):
        trace["assertion"] = told | {"value": str(value), "winner": reason, "alone": told["value"]}


def _considered(entry: Considered, sentence: Sentence) -> dict[str, object]:
    return {
        "id": entry.id,
        "sets": entry.sets,
        "span": [sentence.start + entry.start, sentence.start + entry.end],
        "text": sentence.text[entry.start : entry.end],
        "why_not": entry.why_not,
    }


def attributes_trace(readings: Readings, sentence: Sentence) -> dict[str, object]:
    """Return the attributes, each with the span that it was read from."""
    return {
        name: {
            "value": reading.value,
            "span": [sentence.start + reading.span[0], sentence.start + reading.span[1]],
        }
        for name, reading in sorted(readings.values.items())
    }


def unresolved(scene_roles: Mapping[int, frozenset[str]], tokens: Sequence[str]) -> dict[str, object]:
    """Return why no vendor was found: the names seen and their roles."""
    return {
        "id": None,
        "names": [
            {"name": name, "roles": sorted(scene_roles[number])}
            for number, name in zip(scene_roles, tokens, strict=True)
        ],
    }
