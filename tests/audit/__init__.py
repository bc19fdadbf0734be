"""Findings of bandit, pip-audit and detect-secrets, each answered in answers.yaml: `make audit`."""
