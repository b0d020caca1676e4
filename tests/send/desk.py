"""An outbox with a clock that a test moves, and everything that dispatch is given."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from riskwatch.model import Attempt, Delivery, ReceiverState
from riskwatch.send.deliver import Dispatched, dispatch
from riskwatch.send.receiver import Receiver
from riskwatch.store import Store
from tests.send.deliveries import NOW, a_delivery

_numbers = count(1)


class Notes:
    """A logger that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))

    warning = info

    def of(self, event: str) -> list[dict[str, object]]:
        return [fields for name, fields in self.lines if name == event]


class Desk:
    """Owes deliveries and dispatches them."""

    def __init__(self, store: Store, *receivers: Receiver) -> None:
        self.store, self.now = store, NOW
        self.receivers: dict[str, Receiver] = {}
        self.with_receivers(*receivers)
        self.log, self.counted = Notes(), Counter[str]()
        self.stop = threading.Event()

    def with_receivers(self, *receivers: Receiver) -> Desk:
        self.receivers |= {receiver.id: receiver for receiver in receivers}
        return self

    def owes(self, *deliveries: Delivery) -> None:
        with self.store.begin() as unit:
            assert len(unit.outbox.add_deliveries(deliveries)) == len(deliveries)

    def owes_to(self, receiver: Receiver, *numbers: int, **more: Any) -> None:
        self.owes(
            *(
                a_delivery(n, receiver_id=receiver.id, kind=receiver.kind, created_at=self.now, **more)
                for n in numbers
            )
        )

    def dispatch(self, **more: Any) -> Dispatched:
        return dispatch(
            self.store,
            self.receivers,
            now=lambda: self.now,
            new_token=lambda: f"01JNTOKEN{next(_numbers):017}",
            jitter=lambda: 0.5,
            count=self._count,
            log=self.log,
            stop=self.stop,
            **more,
        )

    def later(self, **span: float) -> Desk:
        self.now += timedelta(**span)
        return self

    def until(self, instant: datetime | None) -> Desk:
        assert instant is not None
        self.now = max(self.now, instant)
        return self

    def delivery(self, delivery_id: str) -> Delivery:
        with self.store.begin(write=False) as unit:
            return unit.outbox.delivery(delivery_id)

    def attempts(self, delivery_id: str) -> list[Attempt]:
        with self.store.begin(write=False) as unit:
            return list(unit.outbox.attempts(delivery_id))

    def outcomes(self, delivery_id: str) -> list[str]:
        return [str(one.outcome) for one in self.attempts(delivery_id)]

    def receiver(self, receiver_id: str) -> ReceiverState:
        with self.store.begin(write=False) as unit:
            return unit.outbox.receiver_states().get(receiver_id, ReceiverState(receiver_id))

    def waiting(self, receiver_id: str | None = None) -> list[Delivery]:
        with self.store.begin(write=False) as unit:
            return list(unit.outbox.open_deliveries(receiver_id=receiver_id))

    def _count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.counted[" ".join((name, *labels.values()))] += int(amount)
