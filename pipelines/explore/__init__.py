"""The workbench in a browser: pages on the published file, for people who look rather than ask SQL.

`server.py` answers requests, `pages/` say what stands on each page, `sql/` has their questions,
one file each, `texts.yaml` every word in both languages. Why so: docs/decisions/0014-workbench.md.
"""
