"""Faults: what may go wrong between a source and an analyst, played, counted and judged."""
