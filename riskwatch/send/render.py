"""A Message → the words of it, made safe, in the order that every channel keeps.

Mail, Slack and webhook differ in form only: all of them print these strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from riskwatch.model import Severity, Step
from riskwatch.send import text
from riskwatch.send.message import Alert, Links
from riskwatch.send.pages import Pages
from riskwatch.send.reasons import ReasonView, Rest, key_of, rest_of, rows_of
from riskwatch.send.text import SafeText

_Made = TypeVar("_Made")
_STEPS = {Step.OPENED: "", Step.UPDATE: "Update", Step.CORRECTION: "Correction", Step.RESOLVED: "Resolved"}
_MARK = 1.6  # width of the mark of the score, percent of the scale
_OF = "\u2019s "


# -------------------------------------------------------------------------------- one alert
@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of the scale from 0 to 100."""

    width: float  # percent
    kind: str  # empty, band, mark
    edge: str = ""  # left, right


@dataclass(frozen=True, slots=True)
class Action:
    """A link under an Alert."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class AlertView:
    """One Alert in words."""

    label: str  # Update · Critical: Tier 1 below 60
    severity: Severity
    step: Step
    headline: SafeText
    title: str  # Alibaba's Qwen: technical lead resigned
    figure: str  # 52.6
    grade: str
    is_scored: bool  # the rule is about a subject that can have a score
    moved: str  # Down 44.5 points in 7 days
    movement: str  # with sign
    within: str  # 7 days
    came_from: str  # from 97.0 (A)
    interval: str  # 32.6 to 68.0
    between: str  # Between 32.6 and 68.0; empty where unknown
    certainty: str  # Between 32.6 and 68.0 · confidence 0.88, high · 7 independent outlets
    confidence: str  # 0.88, high
    scale: tuple[Cell, ...]
    scale_words: str
    reasons: tuple[ReasonView, ...]
    rest: Rest | None
    baseline: str  # +0.7; empty where it has not moved
    baseline_words: str  # Size baseline and 2 earlier reasons, rescaled as the other losses moved
    baseline_short: str  # rescaled size baseline and 2 earlier reasons
    total: str  # 97.0 to 52.6
    sum: str  # what the points add up to, with sign
    key: str  # what the fills of the bars mean
    not_counted: str
    note: str
    exposure: str
    next_steps: str
    owner: str
    actions: tuple[Action, ...]
    rule: SafeText
    as_of: str
    sources: str  # 41 of 43; empty where unknown
    closing: tuple[str, ...]  # rule, incident, as of, sources fresh, methodology
    result: str


def view(alert: Alert, links: Links, *, rows: int) -> AlertView:
    """Return an Alert in words, with at most `rows` reasons spelt out."""
    pages = Pages(links.base_url)
    name, headline = SafeText(alert.subject_name, 80), SafeText(alert.headline)
    return AlertView(
        label=label(alert),
        severity=alert.severity,
        step=alert.step,
        headline=headline,
        title=f"{_OF.join(name.split('/', 1))}: {headline}",
        figure=text.tenths(alert.score_to),
        grade=alert.grade_to or "NR",
        is_scored=alert.rule_kind not in ("staleness", "concentration"),
        moved=_moved(alert),
        movement=text.signed(movement(alert)),
        within=text.span(alert.since, alert.as_of) if alert.since else "",
        came_from=_came_from(alert),
        interval=_interval(alert),
        between=_interval(alert, "Between {} and {}", ""),
        certainty=_certainty(alert),
        confidence=_confidence(alert),
        scale=tuple(_scale(alert)),
        scale_words=_scale_words(alert),
        reasons=tuple(rows_of(alert.reasons, pages, rows)),
        rest=rest_of(alert.reasons[rows:]),
        baseline=text.signed(alert.structural_change)
        if alert.structural_change and alert.score_to is not None
        else "",
        baseline_words=_baseline(alert),
        baseline_short=_baseline_short(alert),
        total=_total(alert),
        sum=_sum(alert),
        key=key_of(alert.reasons[:rows]),
        not_counted=_not_counted(alert),
        note=SafeText(alert.note) if alert.note else "",
        exposure=_exposure(alert),
        next_steps=_sentence(alert.next_steps),
        owner=SafeText(alert.owner, 80) if alert.owner else "",
        actions=tuple(action for action in _actions(alert, links, pages) if action.url),
        rule=SafeText(alert.rule_name, 80),
        as_of=text.instant(alert.as_of),
        sources=_sources(alert),
        closing=tuple(_closing(alert)),
        result=alert.result_id or "",
    )


def label(alert: Alert) -> str:
    """Return how loud, and under which rule: `Update · Critical: Tier 1 below 60`."""
    words = f"{text.capital(alert.severity)}: {SafeText(alert.rule_name, 80)}"
    return f"{_STEPS[alert.step]} · {words}" if _STEPS[alert.step] else words


def headed(alert: Alert, *, name_chars: int = 40) -> str:
    """Return the score line with the step before it where it is not the first."""
    line = score_line(alert, name_chars)
    return f"{_STEPS[alert.step]}: {line}" if _STEPS[alert.step] else line


def score_line(alert: Alert, name_chars: int) -> str:
    """Return `Alibaba/Qwen 97 → 53 (A → D)`, whole numbers; without a movement only where it stands."""
    name = SafeText(alert.subject_name, name_chars)
    if alert.score_to is None and alert.score_from is None:
        return f"{name} ({alert.grade_to})" if alert.grade_to not in (None, "NR") else str(name)
    start, end = text.whole(alert.score_from), text.whole(alert.score_to)
    if alert.score_from is None or (start == end and alert.grade_from == alert.grade_to):
        return f"{name} {end} ({alert.grade_to})"
    is_same = alert.grade_from == alert.grade_to
    return (
        f"{name} {start} → {end} ({alert.grade_to if is_same else f'{alert.grade_from} → {alert.grade_to}'})"
    )


def movement(alert: Alert) -> float | None:
    """Return the printed points moved; None where either score is unknown."""
    if alert.score_to is None or alert.score_from is None:
        return None
    return round(alert.score_to - alert.score_from, 1)


def _moved(alert: Alert) -> str:
    moved = movement(alert)
    if moved is None:
        return "Not rated" if alert.score_to is None else "First score"
    within = f" in {text.span(alert.since, alert.as_of)}" if alert.since else ""
    if not moved:
        return f"Unchanged{within}"
    return f"{'Down' if moved < 0 else 'Up'} {text.tenths(abs(moved))} points{within}"


def _came_from(alert: Alert) -> str:
    if alert.score_from is None:
        return ""
    return f"from {text.tenths(alert.score_from)} ({alert.grade_from or 'NR'})"


def _interval(alert: Alert, form: str = "{} to {}", unknown: str = text.UNKNOWN) -> str:
    if alert.low is None or alert.high is None:
        return unknown
    return form.format(text.tenths(alert.low), text.tenths(alert.high))


def _confidence(alert: Alert) -> str:
    if alert.confidence is None:
        return text.UNKNOWN
    return f"{alert.confidence:.2f}" + (f", {alert.confidence_label}" if alert.confidence_label else "")


def _certainty(alert: Alert) -> str:
    between = _interval(alert, "Between {} and {}", "")
    outlets = text.count(alert.outlets, "independent outlet") if alert.outlets else ""
    return text.capital(" · ".join(p for p in (between, f"confidence {_confidence(alert)}", outlets) if p))


def _scale(alert: Alert) -> Sequence[Cell]:
    score = alert.score_to
    if score is None:
        return ()
    low = score if alert.low is None else min(alert.low, score)
    high = score if alert.high is None else max(alert.high, score)
    start = min(max(score - _MARK / 2, 0.0), 100.0 - _MARK)
    end = start + _MARK
    cells = (
        Cell(min(low, start), "empty"),
        Cell(start - min(low, start), "band", "left"),
        Cell(_MARK, "mark"),
        Cell(max(high, end) - end, "band", "right"),
        Cell(100.0 - max(high, end), "empty"),
    )
    return [Cell(round(cell.width, 1), cell.kind, cell.edge) for cell in cells if cell.width > 0]


def _scale_words(alert: Alert) -> str:
    if alert.score_to is None:
        return ""
    return _interval(alert, "{} if everything stated is true, {} if only confirmed facts count", "")


def _baseline(alert: Alert) -> str:
    if alert.score_from is None:
        return "Size baseline"
    return f"Size baseline{_earlier(alert)}, rescaled as the other losses moved"


def _baseline_short(alert: Alert) -> str:
    return f"{'' if alert.score_from is None else 'rescaled '}size baseline{_earlier(alert)}"


def _earlier(alert: Alert) -> str:
    return f" and {text.count(alert.rescaled, 'earlier reason')}" if alert.rescaled else ""


def _total(alert: Alert) -> str:
    if alert.score_to is None:
        return ""
    start = 100.0 if alert.score_from is None else alert.score_from
    return f"{text.tenths(start)} to {text.tenths(alert.score_to)}"


def _sum(alert: Alert) -> str:
    if alert.score_to is None:
        return ""
    return text.signed(round(alert.score_to - (100.0 if alert.score_from is None else alert.score_from), 1))


# -------------------------------------------------------------------------------- what was passed over
def _not_counted(alert: Alert) -> str:
    told = [f"{SafeText(passed.heading, 120)} ({passed.assertion})" for passed in alert.not_counted]
    return text.some(told)


# -------------------------------------------------------------------------------- what it means
def _exposure(alert: Alert) -> str:
    if alert.exposure is None:
        return ""
    if not alert.exposure:
        return "None of your use cases depends on it."
    number = f"{text.in_words(len(alert.exposure))} use case{'' if len(alert.exposure) == 1 else 's'}"
    return f"{text.capital(number)}: {text.some([SafeText(use, 120) for use in alert.exposure])}."


def _sentence(steps: Sequence[str]) -> str:
    return "; ".join(SafeText(step, 160) for step in steps) + "." if steps else ""


def _sources(alert: Alert) -> str:
    if alert.sources_fresh is None or alert.sources_total is None:
        return ""
    return f"{alert.sources_fresh} of {alert.sources_total}"


def _closing(alert: Alert) -> Iterator[str]:
    yield f"Rule “{SafeText(alert.rule_name, 80)}”"
    yield f"incident {alert.incident_id}"
    yield f"as of {text.instant(alert.as_of)}"
    if _sources(alert):
        yield f"sources fresh {_sources(alert)}"
    if alert.methodology_version:
        yield f"methodology {alert.methodology_version}"


def _actions(alert: Alert, links: Links, pages: Pages) -> Sequence[Action]:
    name = text.cut(SafeText(alert.subject_name, 80).rsplit("/", 1)[-1], 24)
    asked = [] if alert.step is Step.RESOLVED else [
        Action("Acknowledge", links.acknowledge.get(alert.incident_id, pages.of("alerts"))),
        Action("Silence 7 days", links.silence.get(alert.incident_id, "")),
    ]  # fmt: skip
    wrong = pages.of("events", alert.reasons[0].event_id) if alert.reasons else ""
    return [Action(f"Open {name}", pages.subject(alert)), *asked, Action("Report as wrong", wrong)]


# -------------------------------------------------------------------------------- budgets
def fitted(sizes: Sequence[int], made: Callable[[int], _Made], *, fits: Callable[[_Made], bool]) -> _Made:
    """Return what the first size makes that fits; the last size is small enough for anything."""
    for size in sizes[:-1]:
        result = made(size)
        if fits(result):
            return result
    return made(sizes[-1])
