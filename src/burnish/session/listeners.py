"""Who is told what changed in a session, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Topic = Literal["data", "head", "selection", "current", "queue", "layout", "evidence"]
Listener = Callable[[Topic], None]


class Listeners:
    """Told the topic of each change, in the order in which they came.

    Attributes
    ----------
    on_main : callable
        Brings a call that ends work in a thread back to the kernel's own.
    """

    def __init__(self) -> None:
        self.on_main: Callable[[Callable[[], None]], None] = lambda call: call()
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Tell a listener from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Tell a listener no more; one that is not told stays so."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def tell(self, topic: Topic) -> None:
        """Say what changed."""
        for listener in list(self._listeners):
            listener(topic)

    def __len__(self) -> int:
        return len(self._listeners)
