"""Opens the published file with clients that people use, while syncs run.

`python -m tests.clients`. Each client has an environment of its own below build/clients, made from
the package registries; none of them is in the lock, and none of it runs in `make test`.
"""
