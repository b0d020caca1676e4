"""Progress of long work, shown by whoever asked for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

Bar = Callable[[int, str], AbstractContextManager[Any]]  # length, label → what is moved by update(steps)
