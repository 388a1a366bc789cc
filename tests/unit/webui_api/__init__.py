"""Unit tests of the JSON API."""
