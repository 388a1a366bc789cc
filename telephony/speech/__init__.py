"""Hearing: from the bytes of an AudioSocket to masked text; knows no database and no web."""
