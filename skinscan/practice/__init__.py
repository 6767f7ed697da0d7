"""What a user may do with the practice's records: use-cases with a Principal, deny by default.

Every operation is a function ``operation(records, principal, ...)`` that was declared with
`rules.operation`: who may call it stands beside its name, and nothing else in the program lets
anybody in. Rooms: `principal` (who asks), `rules` (who may), `forms` (what is written down),
`clients`, `courses`, `photos`, `results`, `custody` (the operations).
"""

from __future__ import annotations
