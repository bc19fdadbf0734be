"""Benchmarks: scripts that print ratios of two things measured in one run."""
