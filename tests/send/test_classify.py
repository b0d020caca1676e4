"""The tables of error classes, one line a row."""

from datetime import timedelta

import pytest

from riskwatch.model import AttemptOutcome
from riskwatch.send.classify import (
    Scope,
    Stage,
    asks_for_plain_text,
    no_answer,
    patience,
    slack_fault,
    smtp_fault,
    tries_before_dead,
    webhook_fault,
)

TRANSIENT, PERMANENT, AMBIGUOUS = AttemptOutcome.TRANSIENT, AttemptOutcome.PERMANENT, AttemptOutcome.AMBIGUOUS


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_of_a_webhook_is_success(status: int) -> None:
    assert webhook_fault(status) is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
def test_a_webhook_that_is_busy_or_broken_is_tried_again(status: int) -> None:
    fault = webhook_fault(status)

    assert fault is not None
    assert (fault.outcome, fault.scope, fault.code) == (TRANSIENT, Scope.RECEIVER, str(status))


@pytest.mark.parametrize("status", [400, 405, 413, 422])
def test_a_message_that_a_webhook_refuses_is_dead_after_three_tries(status: int) -> None:
    fault = webhook_fault(status)

    assert fault is not None
    assert (fault.outcome, fault.scope) == (PERMANENT, Scope.MESSAGE)
    assert tries_before_dead("webhook", fault.code) == 3


@pytest.mark.parametrize(
    ("status", "wait"),
    [(410, timedelta(0))] + [(status, timedelta(days=1)) for status in (301, 302, 307, 308, 401, 403, 404)],
)
def test_a_webhook_that_is_gone_or_closed_to_us_is_switched_off(status: int, wait: timedelta) -> None:
    fault = webhook_fault(status)

    assert fault is not None
    assert (fault.outcome, fault.scope) == (PERMANENT, Scope.RECEIVER)
    assert patience("webhook", fault.code) == wait


def test_a_blocked_address_is_the_receiver_s_fault_for_a_day() -> None:
    fault = no_answer("blocked", is_sent=False)

    assert (fault.outcome, fault.scope) == (PERMANENT, Scope.RECEIVER)
    assert patience("webhook", "blocked") == timedelta(days=1)


def test_other_failures_are_borne_for_five_days() -> None:
    assert {patience(kind, "503") for kind in ("webhook", "slack", "email")} == {timedelta(days=5)}
    assert patience("email", "535") == timedelta(days=5)


@pytest.mark.parametrize("code", ["too_slow", "cut_off", "unreachable", "disconnected"])
def test_silence_is_unclear_only_once_the_message_is_out(code: str) -> None:
    assert no_answer(code, is_sent=False).outcome is TRANSIENT
    assert no_answer(code, is_sent=True).outcome is AMBIGUOUS


@pytest.mark.parametrize("word", ["invalid_payload", "invalid_blocks", "no_text", "msg_blocks_too_long"])
def test_15_slack_refuses_the_layout_so_plain_text_is_tried(word: str) -> None:
    fault = slack_fault(400, word.encode())

    assert fault is not None
    assert (fault.outcome, fault.scope, fault.code) == (PERMANENT, Scope.MESSAGE, word)
    assert asks_for_plain_text("slack", fault.code)
    assert not asks_for_plain_text("webhook", fault.code)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "invalid_token"),
        (400, "user_not_found"),
        (403, "action_prohibited"),
        (404, "no_service"),
        (404, "channel_not_found"),
        (404, "no_team"),
        (410, "channel_is_archived"),
    ],
)
def test_15_a_dead_slack_hook_is_switched_off_at_once(status: int, word: str) -> None:
    fault = slack_fault(status, word.encode() + b"\n")

    assert fault is not None
    assert (fault.outcome, fault.scope, fault.code) == (PERMANENT, Scope.RECEIVER, word)
    assert patience("slack", fault.code) == timedelta(0)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_15_a_dead_slack_hook_is_known_by_its_status_too(status: int) -> None:
    fault = slack_fault(status, b"<html>")

    assert fault is not None
    assert patience("slack", fault.code) == timedelta(0)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(429, b"", "429"), (500, b"rollup_error", "rollup_error"), (503, b"x", "503")],
)
def test_15_a_busy_slack_is_tried_again(status: int, body: bytes, code: str) -> None:
    fault = slack_fault(status, body)

    assert fault is not None
    assert (fault.outcome, fault.scope, fault.code) == (TRANSIENT, Scope.RECEIVER, code)


def test_15_an_unknown_refusal_of_slack_is_about_the_message() -> None:
    fault = slack_fault(400, b"something new")

    assert fault is not None
    assert (fault.outcome, fault.scope, fault.code) == (PERMANENT, Scope.MESSAGE, "400")


def test_16_any_2xx_of_slack_is_success_whatever_it_says() -> None:
    assert slack_fault(200, b"no_service") is None


@pytest.mark.parametrize(
    ("stage", "status", "outcome", "scope"),
    [
        (Stage.GREETING, 421, TRANSIENT, Scope.RECEIVER),
        (Stage.GREETING, 554, PERMANENT, Scope.RECEIVER),
        (Stage.HELLO, 502, PERMANENT, Scope.RECEIVER),
        (Stage.TLS, 454, TRANSIENT, Scope.RECEIVER),
        (Stage.LOGIN, 454, TRANSIENT, Scope.RECEIVER),
        (Stage.LOGIN, 535, PERMANENT, Scope.RECEIVER),
        (Stage.SENDER, 451, TRANSIENT, Scope.MESSAGE),
        (Stage.SENDER, 550, PERMANENT, Scope.RECEIVER),
        (Stage.SENDER, 552, PERMANENT, Scope.MESSAGE),
        (Stage.RECIPIENT, 450, TRANSIENT, Scope.MESSAGE),
        (Stage.RECIPIENT, 421, TRANSIENT, Scope.RECEIVER),
        (Stage.RECIPIENT, 550, PERMANENT, Scope.MESSAGE),
        (Stage.CONTENT, 451, TRANSIENT, Scope.MESSAGE),
        (Stage.CONTENT, 421, TRANSIENT, Scope.RECEIVER),
        (Stage.CONTENT, 552, PERMANENT, Scope.MESSAGE),
        (Stage.CONTENT, 554, PERMANENT, Scope.MESSAGE),
        (Stage.CONTENT, -1, TRANSIENT, Scope.MESSAGE),
    ],
)
def test_an_smtp_reply_is_judged_by_its_stage(
    stage: Stage, status: int, outcome: AttemptOutcome, scope: Scope
) -> None:
    fault = smtp_fault(stage, status)

    assert (fault.outcome, fault.scope, fault.code) == (outcome, scope, str(status))


def test_a_refused_mail_is_dead_at_once_and_a_fault_of_ours_after_three() -> None:
    assert tries_before_dead("email", "550") == 1
    assert tries_before_dead("slack", "invalid_payload") == 1
    assert {tries_before_dead(kind, "internal") for kind in ("email", "slack", "webhook")} == {3}
