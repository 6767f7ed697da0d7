"""Around the pages: who gets in, by which address, and which photo they may fetch.

Streamlit's own addresses know no user, so nothing of it is reached without a login: `gate` stands
in front of everything. `doors` are the pages before the login, `photos` the address of a photo,
`office` the open records, `cookies` what the browser keeps.
"""

from __future__ import annotations
