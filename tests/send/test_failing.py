"""Who is told of a failing Receiver, in words that every channel can print."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from riskwatch.collect.http import HttpClient
from riskwatch.errors import DeliveryError
from riskwatch.model import Purpose, ReceiverState
from riskwatch.send.failing import channel_for, is_to_be_told, news
from riskwatch.send.message import Message
from riskwatch.send.receiver import Receiver
from riskwatch.send.render_mail import mail
from riskwatch.send.render_slack import slack
from riskwatch.send.render_webhook import webhook
from tests.send.deliveries import NOW, a_delivery, a_slack_receiver, a_webhook_receiver
from tests.send.messages import LINKS, TEMPLATES

REFUSED = DeliveryError("grc", "no", outcome="permanent", scope="receiver", code="403")
BUSY = DeliveryError("grc", "busy", outcome="transient", scope="receiver", code="503")
GOOD = ReceiverState("grc")
HOSTILE = 'status 403: \\r\\n <!channel> <script>alert(1)</script> "x" *y*'


@pytest.fixture
def receivers(client: HttpClient) -> dict[str, Receiver]:
    made: tuple[Receiver, ...] = (
        a_slack_receiver("http://127.0.0.1/services/a", client, name="slack-1"),
        a_slack_receiver("http://127.0.0.1/services/b", client, name="slack-2"),
        a_webhook_receiver("http://127.0.0.1/grc", client),
    )
    return {one.id: one for one in made}


def test_a_failure_is_told_over_a_working_receiver_of_another_kind(receivers: dict[str, Receiver]) -> None:
    weak = {"slack-1": ReceiverState("slack-1", consecutive_failures=3)}
    off = weak | {"slack-2": ReceiverState("slack-2", disabled_reason="410")}

    chosen = [channel_for(receivers["grc"], receivers, states) for states in ({}, weak, off)]

    assert [one and one.id for one in chosen] == ["slack-1", "slack-2", None]
    assert channel_for(receivers["slack-1"], receivers, {}) is receivers["grc"]


@pytest.mark.parametrize(
    ("error", "after", "is_told"),
    [
        (REFUSED, GOOD, True),
        (BUSY, ReceiverState("grc", failing_since=NOW - timedelta(minutes=29)), False),
        (BUSY, ReceiverState("grc", failing_since=NOW - timedelta(minutes=30)), True),
        (BUSY, ReceiverState("grc", disabled_reason="410"), True),
        (REFUSED, ReceiverState("grc", told_at=NOW - timedelta(hours=5)), False),
        (REFUSED, ReceiverState("grc", told_at=NOW - timedelta(hours=6)), True),
    ],
)
def test_a_failure_is_told_when_it_is_final_or_long_and_not_too_often(
    error: DeliveryError, after: ReceiverState, is_told: bool
) -> None:
    assert is_to_be_told(a_delivery(), error, before=GOOD, after=after, now=NOW) is is_told


@pytest.mark.parametrize("purpose", [Purpose.SYSTEM, Purpose.TEST])
def test_38_the_failure_of_a_system_message_or_a_test_is_not_told(purpose: Purpose) -> None:
    assert not is_to_be_told(a_delivery(purpose=purpose), REFUSED, before=GOOD, after=GOOD, now=NOW)


@pytest.mark.parametrize("is_off", [False, True])
def test_every_channel_can_print_the_news_of_a_failure(receivers: dict[str, Receiver], is_off: bool) -> None:
    state = ReceiverState(
        "grc", consecutive_failures=3, last_error=HOSTILE, disabled_reason=HOSTILE if is_off else None
    )
    over = receivers["slack-1"]

    (told,) = news(receivers["grc"], state, over=over, now=NOW, ids=["01JNNEWS"])

    message: Message = TypeAdapter[Message](Message).validate_python(dict(told.payload))
    written = mail(message, links=LINKS, recipient="buyer@example.com", templates=TEMPLATES)
    assert ("switched off" in written.subject) is is_off
    assert "<script>" not in written.html
    posted = slack(message, links=LINKS, delivery_id=told.id)
    assert "<!channel>" not in posted["text"]  # in the blocks it stands in plain_text, where it is only text
    assert not [b for b in posted["blocks"] if b.get("text", {}).get("type") == "mrkdwn" and "<!" in str(b)]
    assert webhook(message, links=LINKS, at=NOW)["type"] == "riskwatch.system"
    assert (told.purpose, told.recipient, told.receiver_id) == (Purpose.SYSTEM, "slack-1", "slack-1")
