"""Asterisk's configuration: templates, the program that renders them, prompts and hold music."""
