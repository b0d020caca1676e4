"""Slack incoming webhooks: the whole URL is the secret, and there is no key against repeats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from riskwatch.errors import CollectError, Invalid
from riskwatch.model import Delivery
from riskwatch.send.classify import no_answer, slack_fault
from riskwatch.send.receiver import Post, Sent, failed, told
from riskwatch.send.retry import retry_after_seconds

HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


class SlackReceiver:
    """One incoming webhook, bound to one channel."""

    kind = "slack"
    pace_seconds = 1.0  # Slack's own limit for one hook
    limit_seconds = 20.0

    def __init__(
        self,
        id: str,  # noqa: A002 - the name of the Protocol
        *,
        hook: str,
        render: Callable[[Delivery], Mapping[str, Any]],
        post: Post,
        now: Callable[[], datetime],
        is_admitted: Callable[[str], bool] = lambda _host: False,
    ) -> None:
        """Create a receiver.

        Args:
            id: Receiver id.
            hook: The whole URL of the hook.
            render: Delivery -> `text` and `blocks`; without blocks where the Delivery is plain.
            post: The guarded client's post.
            now: Clock, for dates in Retry-After.
            is_admitted: Further hosts that a hook may have: a test server's.

        Raises:
            Invalid: The URL is none of Slack's.
        """
        parts = urlsplit(hook)
        host = parts.hostname or ""
        if not ((parts.scheme == "https" and host in HOSTS) or is_admitted(host)):
            raise Invalid(id, f"a Slack hook begins with https://{HOSTS[0]}/ or https://{HOSTS[1]}/")
        self.id, self.recipients = id, (id,)
        self._hook, self._render, self._post, self._now = hook, render, post, now
        self._secrets = (hook, parts.path, parts.path.lstrip("/"), *parts.path.split("/")[-1:])

    def send(self, delivery: Delivery) -> Sent:
        """Post one message. Raises DeliveryError."""
        body = json.dumps(self._render(delivery), ensure_ascii=False).encode("utf-8", "replace")
        try:
            answer = self._post(self._hook, body=body, headers=_HEADERS, receiver_id=self.id)
        except CollectError as error:
            fault = no_answer(error.outcome, is_sent=error.is_sent)
            raise failed(self.id, fault, told(error.reason, secrets=self._secrets)) from None
        said = told(answer.body, secrets=self._secrets)
        fault_ = slack_fault(answer.status, answer.body)
        if fault_ is not None:
            wait = retry_after_seconds(answer.headers.get("retry-after"), now=self._now())
            raise failed(self.id, fault_, f"status {answer.status}: {said}", retry_after_seconds=wait)
        return Sent(str(answer.status), said)
