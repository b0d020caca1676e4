"""An Alert says what moved the score, how that adds up, what was not counted and what to do next."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.model import (
    DateClaim,
    Event,
    EventState,
    Incident,
    IncidentState,
    Score,
    Severity,
    Step,
    Transition,
)
from riskwatch.model.portfolio import Dependency
from riskwatch.score import evaluate
from riskwatch.send.compose import Facts, alert, event_heading, exposure, subject_name
from riskwatch.send.message import Alert
from riskwatch.send.rule import AlertRule
from riskwatch.settings import Config, load
from tests.score.builders import day, some_inputs
from tests.score.strategies import NOW, histories
from tests.score.test_golden_qwen import STORY, as_known_then

QWEN = "alibaba/qwen"
RULE = AlertRule.model_validate(
    {
        "id": "tier1-below-60",
        "name": "Tier 1 below 60",
        "severity": "critical",
        "scope": {"criticality": 1},
        "condition": {"kind": "score_below", "threshold": 60},
        "owner": "Legal operations",
    }
)
INCIDENT = Incident(
    id="01I", key="k", rule_id=RULE.id, subject=QWEN, severity=Severity.CRITICAL,
    state=IncidentState.FIRING, condition_hash="h", opened_at=day(1),
)  # fmt: skip


@cache
def config() -> Config:
    return load(environ={})


def scored(at: float, events: tuple[Event, ...] = STORY) -> Score:
    return evaluate(some_inputs(*as_known_then(events, at), at=at))


def a_step(step: Step = Step.OPENED, *event_ids: str) -> Transition:
    return Transition(
        id="01T", incident_id="01I", seq=1, from_state=IncidentState.PENDING, to_state=IncidentState.FIRING,
        step=step, cause="change", value_old=97.0, value_new=52.6, occurred_at=day(2), event_ids=event_ids,
    )  # fmt: skip


def facts(events: tuple[Event, ...] = STORY, **changes: Any) -> Facts:
    values: dict[str, Any] = {
        "subject_name": "Alibaba/Qwen",
        "as_of": day(2),
        "score": scored(2),
        "before": scored(-5),
        "events": {event.id: event for event in events},
        "taxonomy": config().taxonomy,
        "playbooks": config().playbooks,
    }
    return Facts(**{**values, **changes})


def made(step: Transition | None = None, **changes: Any) -> Alert:
    return alert(step or a_step(), INCIDENT, RULE, facts=facts(**changes))


def total(of: Alert) -> float:
    return round(sum(reason.points or 0.0 for reason in of.reasons) + (of.structural_change or 0.0), 1)


# ------------------------------------------------------------------------------------------- points
def test_the_departures_at_qwen_take_the_points_that_the_page_prints() -> None:
    told = made()

    assert (told.score_from, told.score_to, told.grade_from, told.grade_to) == (97.0, 52.6, "A", "D")
    assert {reason.event_id: reason.points for reason in told.reasons} == {
        "exit": -16.5, "compute": -9.5, "licence": -8.8, "exodus": -6.5, "share": -2.1, "reorg": -1.8,
    }  # fmt: skip
    assert [reason.event_id for reason in told.reasons][:3] == ["exit", "compute", "licence"]
    assert told.structural_change == 0.8
    assert total(told) == -44.4
    assert (told.low, told.high) == (32.6, 68.0)
    assert told.headline == "A leader leaves (technical lead)"


@given(histories(), st.floats(0, NOW), st.floats(0, NOW))
@settings(max_examples=100, deadline=None)
def test_reasons_and_baseline_sum_to_the_printed_movement(
    events: tuple[Event, ...], one: float, other: float
) -> None:
    first, last = sorted((one, other))
    before = evaluate(some_inputs(*as_known_then(events, first), at=first))
    after = evaluate(some_inputs(*as_known_then(events, last), at=last))

    told = made(events=events, before=before, score=after, as_of=day(last))

    assert told.score_from is not None
    assert told.score_to is not None
    assert total(told) == round(told.score_to - told.score_from, 1)


def test_a_first_score_is_counted_from_a_hundred() -> None:
    told = made(before=None)

    assert told.score_from is None
    assert total(told) == round(52.6 - 100, 1)


def test_an_event_that_moved_nothing_is_left_out_unless_the_step_is_about_it() -> None:
    same = scored(2)

    assert made(before=same).reasons == ()
    assert [(r.event_id, r.points) for r in made(a_step(Step.UPDATE, "exit"), before=same).reasons] == [
        ("exit", 0.0)
    ]


def test_without_a_score_an_event_has_no_points_rather_than_none_at_all() -> None:
    told = made(a_step(Step.OPENED, "exit"), score=None, before=None)

    assert told.score_to is None
    assert [(r.event_id, r.points) for r in told.reasons] == [("exit", None)]


def test_earlier_events_that_only_weigh_differently_are_told_with_the_baseline() -> None:
    told = made(before=scored(0), score=scored(1), as_of=day(1))

    assert {reason.event_id for reason in told.reasons} == {"compute", "licence", "share", "reorg"}
    assert told.rescaled == 2  # the exit and the exodus of the day before
    assert told.structural_change is not None
    assert told.structural_change > 3
    assert total(told) == round((told.score_to or 0.0) - (told.score_from or 0.0), 1)


def test_where_nothing_else_moved_the_earlier_events_are_the_reasons() -> None:
    told = made(before=scored(20), score=scored(24), as_of=day(24))

    assert told.rescaled == 0
    assert "exit" in {reason.event_id for reason in told.reasons}


# ------------------------------------------------------------------------------------------- words
def test_a_reason_names_outlets_the_other_dates_and_what_already_eases_it() -> None:
    wrong = DateClaim("a1", "E", datetime(2025, 6, 9, tzinfo=UTC), "on 9 June", 267)
    events = tuple(replace(e, date_conflicts=(wrong,)) if e.id == "exit" else e for e in STORY)

    reason = made(events=events).reasons[0]

    assert reason.outlets == 5
    assert reason.occurred_on == date(2026, 3, 3)
    assert reason.other_dates == (date(2025, 6, 9),)
    assert reason.relief == pytest.approx(0.278, abs=0.001)
    assert reason.relieved_by == ("New leader appointed (technical lead)",)


def test_what_was_told_since_and_took_no_point_is_named_with_its_reason() -> None:
    events = tuple(replace(event, first_told_at=day(2)) for event in STORY)

    assert [(n.event_id, n.assertion) for n in made(events=events).not_counted] == [("appt", "reported")]


def test_good_news_from_long_ago_is_not_told_again() -> None:
    events = tuple(replace(event, first_told_at=day(-30)) for event in STORY)

    assert made(events=events).not_counted == ()


def test_the_headline_is_the_event_of_the_step_even_if_another_took_more() -> None:
    assert made(a_step(Step.UPDATE, "share")).headline == "Shares down 5 %"


def test_a_correction_says_that_the_event_is_denied_and_gives_no_orders() -> None:
    denied = tuple(
        replace(event, state=EventState.DENIED) if event.id == "licence" else event for event in STORY
    )
    told = made(a_step(Step.CORRECTION, "licence"), events=denied, score=scored(1), before=scored(2))

    assert told.headline == "Licence or terms tightened: denied"
    assert told.next_steps == ()
    assert told.note == "This corrects what was told since 4 Mar 2026 00:00 UTC."


def test_a_resolved_step_says_so() -> None:
    assert made(a_step(Step.RESOLVED)).headline == "Recovered"
    assert made(a_step(Step.RESOLVED, "exit")).headline == "A leader leaves (technical lead): over"


def test_steps_that_rest_on_no_event_take_the_words_they_are_given() -> None:
    quiet: dict[str, Any] = {"score": None, "before": None, "events": ()}

    assert made(**quiet).headline == "Below the limit"
    assert made(**quiet, headline="Nothing fetched for 51 hours").headline == "Nothing fetched for 51 hours"


def test_the_next_steps_are_those_of_the_gravest_event_first() -> None:
    steps = made().next_steps

    assert steps[:2] == config().playbooks.types["leadership_exit"][:2]
    assert 2 <= len(steps) <= 4


def test_a_vendor_is_written_as_people_write_it_wherever_it_stands() -> None:
    taxonomy = config().taxonomy
    event = replace(STORY[0], type="acquisition", attributes={"buyer": "xai"})

    assert event_heading(event, taxonomy) == "xAI takes over"
    assert event_heading(replace(STORY[0], attributes={"role": "cto"}), taxonomy) == "A leader leaves (CTO)"
    assert event_heading(replace(STORY[0], type="odd_thing"), taxonomy) == "Odd thing"


def test_a_heading_with_broken_characters_can_still_be_stored() -> None:
    broken = replace(STORY[0], attributes={"person": "Ann\x00 \ud800\r\nLee"})

    told = made(a_step(Step.OPENED, "exit"), events=(broken, *STORY[1:]))

    assert told.headline == "Ann Lee leaves"
    assert told.model_dump_json().encode("utf-8")


def test_a_subject_is_vendor_and_line_or_unit() -> None:
    vendors = config().vendors

    assert subject_name("alibaba/qwen", vendors) == "Alibaba/Qwen"
    assert subject_name("alibaba", vendors) == "Alibaba"
    assert subject_name("microsoft/-xbox", vendors) == "Microsoft/Xbox and games"
    assert subject_name("techcrunch-ai", vendors) == "techcrunch-ai"
    assert subject_name("all", vendors) == "All sources"


def test_a_concentration_is_told_with_its_figure() -> None:
    share = AlertRule.model_validate(
        {
            "id": "one-vendor",
            "severity": "warning",
            "scope": {"all": True},
            "condition": {"kind": "concentration", "metric": "share", "over": "vendor", "above": 0.5},
        }
    )
    step = replace(a_step(), value_old=None, value_new=62.4)
    quiet = facts(events=(), score=None, before=None, subject_name="Portfolio")

    told = alert(step, INCIDENT, share, facts=quiet)

    assert told.headline == "Concentration at 62 %"
    assert told.rule_name == "one-vendor"
    assert told.next_steps == config().playbooks.conditions["concentration"]


def test_the_exposure_lists_the_gravest_use_case_first() -> None:
    portfolio = [
        Dependency(use_case="Internal search", subject=QWEN, criticality=2, exit_plan="wiki/exit"),
        Dependency(
            use_case="Contract clause search", subject="alibaba", criticality=1, renewal_on=date(2026, 6, 1)
        ),
        Dependency(use_case="Chat", subject="openai", criticality=1),
    ]

    assert exposure(portfolio, QWEN) == (
        "Contract clause search (tier 1, no exit plan, renewal 1 Jun 2026)",
        "Internal search (tier 2)",
    )
    assert exposure(portfolio, "mistral") == ()
    assert exposure([], QWEN) is None
