"""The practice's records: rows in a database, photos in a vault, both sealed per client.

What a user may do with them is decided above, in `skinscan.practice`; nothing here asks who is
asking.
"""
