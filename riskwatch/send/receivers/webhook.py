"""Webhooks after the Standard Webhooks specification: signed, with an id that stays over all tries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from riskwatch.errors import CollectError, Invalid
from riskwatch.model import Delivery
from riskwatch.send.classify import no_answer, webhook_fault
from riskwatch.send.receiver import Post, Sent, failed, told
from riskwatch.send.retry import retry_after_seconds

_PREFIX = "whsec_"
_MIN_KEY_BYTES, _MAX_KEYS = 16, 2


class WebhookReceiver:
    """One address that takes a signed JSON body."""

    kind = "webhook"
    pace_seconds = 0.0
    limit_seconds = 20.0

    def __init__(
        self,
        id: str,  # noqa: A002 - the name of the Protocol
        *,
        url: str,
        secret: str,
        render: Callable[[Delivery], Mapping[str, Any]],
        post: Post,
        now: Callable[[], datetime],
    ) -> None:
        """Create a receiver.

        Args:
            id: Receiver id.
            url: https address.
            secret: `whsec_` and base64; two of them, separated by a space, while one is being replaced.
            render: Delivery -> body; equal for every try of a Delivery.
            post: The guarded client's post.
            now: Clock of the signatures.

        Raises:
            Invalid: The secret cannot be used.
        """
        self.id, self.recipients = id, (id,)
        self._url, self._keys = url, signing_keys(secret, name=id)
        self._render, self._post, self._now = render, post, now
        parts = urlsplit(url)
        self._secrets = (*secret.split(), *(s.removeprefix(_PREFIX) for s in secret.split()), url)
        self._secrets += (parts.path, parts.query)

    def send(self, delivery: Delivery) -> Sent:
        """Post one message. Raises DeliveryError."""
        body = json.dumps(self._render(delivery), ensure_ascii=False).encode("utf-8", "replace")
        headers = self._headers(delivery.id, body)
        try:
            answer = self._post(self._url, body=body, headers=headers, receiver_id=self.id)
        except CollectError as error:
            fault = no_answer(error.outcome, is_sent=error.is_sent)
            raise failed(self.id, fault, told(error.reason, secrets=self._secrets)) from None
        said = told(answer.body, secrets=self._secrets)
        fault_ = webhook_fault(answer.status)
        if fault_ is not None:
            wait = retry_after_seconds(answer.headers.get("retry-after"), now=self._now())
            raise failed(self.id, fault_, f"status {answer.status}: {said}", retry_after_seconds=wait)
        return Sent(str(answer.status), said)

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        stamp = int(self._now().timestamp())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signatures(self._keys, message_id=message_id, stamp=stamp, body=body),
        }


def signing_keys(secret: str, *, name: str) -> tuple[bytes, ...]:
    """Return the keys of a setting, the newest first. Raises Invalid, without the secret."""
    keys = []
    for part in secret.split():
        try:
            keys.append(base64.b64decode(part.removeprefix(_PREFIX), validate=True))
        except (binascii.Error, ValueError):
            raise Invalid(name, "a signing secret is whsec_ followed by base64") from None
    if not 1 <= len(keys) <= _MAX_KEYS or any(len(key) < _MIN_KEY_BYTES for key in keys):
        raise Invalid(name, f"one or two signing secrets of at least {_MIN_KEY_BYTES} bytes are expected")
    return tuple(keys)


def signatures(keys: Sequence[bytes], *, message_id: str, stamp: int, body: bytes) -> str:
    """Return the signature header: one `v1,` signature a key."""
    signed = f"{message_id}.{stamp}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys
    )
