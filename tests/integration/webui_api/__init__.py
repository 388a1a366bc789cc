"""The JSON API on a real database."""
