"""Ctrl-C and its relatives, while something must come to its end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def ignored(report: Callable[[str], None]) -> Iterator[None]:
    """Finish the block, which must be short, whatever the user presses: it is what ends everything.

    Args:
        report: is told, for each signal, why it has no effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def tell(number: int, _: object) -> None:
        report(f"{signal.Signals(number).name}: everything is being ended, please wait")

    before = {number: signal.signal(number, tell) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
