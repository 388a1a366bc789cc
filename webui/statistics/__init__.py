"""What happened, counted honestly: measures and their pages, frozen periods, reports, improvement items.

Reads the tables of every stage and writes only its own.
"""
