"""A made-up year of a city's hotline: drawn by a seeded generator that writes down what is true, then copied into the database.

Everything here is invented, and no number in it can ring: 194 is a mobile block that was never allotted.
"""
