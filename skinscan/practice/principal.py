"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

from skinscan.store.schema import Role


@dataclass(frozen=True)
class Principal:
    """Who asks for something.

    Attributes
    ----------
    user_id : str or None
        None of nobody known, and of the machine's terminal.
    role : Role or None
        What they were when they signed in; looked up again for every operation.
    terminal : bool
        Whether it is somebody at the machine's own terminal, who has the key file anyway.
    """

    user_id: str | None = None
    role: Role | None = None
    terminal: bool = False


#: Somebody who has not signed in.
ANONYMOUS = Principal()

#: Somebody at the machine's terminal.
TERMINAL = Principal(terminal=True)
