"""Scoring many photos beside the pages: what the batch page looks at.

===========  ==================================================================
``roots``    which folders of this machine may be measured
``space``    the private folder in which runs keep what they need
``inbox``    photos that somebody sends for a run
``run``      one run: its photos, how far it is, its tables
``runs``     all runs of this server, and whose they are
===========  ==================================================================
"""
