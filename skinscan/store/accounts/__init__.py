"""Accounts: who may sign in, how they prove it, and for how long that holds.

`sign_in` and `invitations` are what the app calls; the other modules are their parts. Every
function takes the database and, where something is sealed, the practice's key; times come from a
clock that can be given; what happens is told to the audit trail in the same transaction. Who may do
what to whom is decided above, in `skinscan.practice`.
"""
