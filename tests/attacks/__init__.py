"""Attacks on the product that count: tried, refused, succeeded. `python -m tests.attacks`."""
