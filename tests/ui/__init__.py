"""Plays what people do in the Dagster UI in a real browser, and takes the runbook's pictures."""
