"""A dispatcher that kills itself in the middle: run as a program, with URL, hook and the instant of death."""

from __future__ import annotations

import os
import signal
import sys

from riskwatch.model import Delivery
from riskwatch.send.receiver import Receiver, Sent
from riskwatch.store.sql import SqlStore
from tests.send.deliveries import a_client, a_webhook_receiver
from tests.send.desk import Desk


class Dying:
    """Sends by another Receiver, and dies before or after."""

    def __init__(self, inner: Receiver, instant: str) -> None:
        self.id, self.kind, self.recipients = inner.id, inner.kind, inner.recipients
        self.pace_seconds, self.limit_seconds = inner.pace_seconds, inner.limit_seconds
        self._inner, self._instant = inner, instant

    def send(self, delivery: Delivery) -> Sent:
        if self._instant == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        sent = self._inner.send(delivery)
        os.kill(os.getpid(), signal.SIGKILL)
        return sent


if __name__ == "__main__":
    url, hook, instant = sys.argv[1:]
    Desk(SqlStore(url), Dying(a_webhook_receiver(hook, a_client()), instant)).dispatch()
