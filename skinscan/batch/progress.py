"""The bar: how far, how fast, how much longer. Only where somebody watches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(*, total: int, done: int = 0, shown: bool = True) -> Iterator[Callable[[], None]]:
    """Show progress on standard error while the block runs.

    Nothing is shown where standard error is neither a terminal nor a notebook.

    Parameters
    ----------
    total, done : int
        Photos in all, and those that were done before.
    shown : bool
        False shows nothing.

    Yields
    ------
    callable
        Call it after each photo.
    """
    from rich.console import Console  # noqa: PLC0415 - only for runs

    console = Console(stderr=True)
    if not shown or not (console.is_terminal or console.is_jupyter):
        yield lambda: None
        return
    from rich.progress import (  # noqa: PLC0415 - same
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text  # noqa: PLC0415 - same

    class _Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.1f} photos/s")

    columns = (
        TextColumn("Measuring"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, speed_estimate_period=60.0) as progress:
        bar = progress.add_task("", total=total, completed=done)
        yield lambda: progress.advance(bar)
