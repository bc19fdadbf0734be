"""A running localstripe, and an account in it that is filled through its own API."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

VERSION = "1.15.10"
SCRIPT = Path(__file__).parent / "localstripe_loopback.py"
KEY = "sk_test_localstripe"
CUSTOMERS, CHARGES, REFUNDS = 300, 500, 50
CURRENCIES = ("cny", "usd", "jpy")


@contextmanager
def running(python: str) -> Iterator[str]:
    """Start localstripe with its own interpreter, yield its base URL, and stop it."""
    server = subprocess.Popen([python, str(SCRIPT)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port.isdigit(), "localstripe did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


@contextmanager
def filled(base: str) -> Iterator[httpx.Client]:
    """Yield a client of the server, which is filled through its own API."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=base, headers=headers, timeout=60) as client:
        method = card(client)
        customers = [
            post(client, "customers", name=f"Customer {n}", email=f"c{n}@shop.example", phone="")[
                "id"
            ]
            for n in range(CUSTOMERS)
        ]
        charges = [
            post(
                client,
                "charges",
                amount=str(1 + n * 137),
                currency=CURRENCIES[n % 3],
                customer=customers[n * 7 % CUSTOMERS],
                source=method,
            )["id"]
            for n in range(CHARGES)
        ]
        for n in range(REFUNDS):
            post(client, "refunds", charge=charges[n * 9], amount=str(1 + n))
        yield client


def post(client: httpx.Client, path: str, **form: Any) -> dict[str, Any]:
    """Write, and return what was made."""
    answer = client.post(f"/v1/{path}", data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def card(client: httpx.Client) -> str:
    """Make a payment method; return its id."""
    said = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2031", "cvc": "123"}
    form = {f"card[{name}]": value for name, value in said.items()}
    return post(client, "payment_methods", type="card", **form)["id"]
