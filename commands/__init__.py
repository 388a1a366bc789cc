"""The commands of `manage.py`, a file a subject: each is a thin caller of a service."""
