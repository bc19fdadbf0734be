"""Looks at pages in a headless Chromium; run by hand, not by `make test`."""
