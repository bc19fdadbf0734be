"""Removes a person from landing, store and what is published (docs/privacy.md, decision 13)."""
