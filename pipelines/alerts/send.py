"""Hands a message to an address through apprise: mail, chat robots, web hooks."""

from __future__ import annotations

import logging
import warnings

from pipelines.alerts.messages import Message


def send(address: str, message: Message) -> str:
    """Send to an apprise address; returns "" where it was taken, else why not.

    The reason never holds the address. Whatever the library raises is a reason.
    """
    # Its imports cost most of a second: only who has something to say waits for them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of modules that it imports
        import apprise

        from pipelines.alerts import robots

        robots.register()

    # It writes addresses with their keys into its log.
    log = logging.getLogger("apprise")
    log.disabled, before = True, log.disabled
    try:
        found = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if found is None:
            return "the address is none that apprise knows"
        taken = found.notify(body=message.body, title=message.title)
        return "" if taken else getattr(found, "refused", "") or "the message was not taken"
    except Exception as error:  # a library of a hundred services: none of them stops a sync
        return type(error).__name__
    finally:
        log.disabled = before
