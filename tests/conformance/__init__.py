"""The conformance suite on every connector; `python -m tests.conformance` prints the table."""
