"""Spoken prompts that come with the program, their texts, and the program that lists the texts."""
