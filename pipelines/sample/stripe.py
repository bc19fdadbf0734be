"""The card payments of customers abroad: the story as Stripe writes it.

The shop's prices are in CNY and so are the charges; the account is one of Hong Kong, so fees and
payouts are in HKD. Amounts are in the smallest unit.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.base import utc_now
from connectors.stripe import sample
from connectors.stripe.simulator import StripeSimulator
from pipelines.sample.facts import Movement
from pipelines.sample.key import Bad
from pipelines.sample.story import NOW, Story

CONNECTION, PORT = "stripe", 18805
SECRETS = {"STRIPE_KEY": "rk_test_sampleCompany"}
STREAMS = ("customers", "charges", "refunds", "payouts")
_RATE = Decimal("1.09")
_WEEK = 7 * 86_400


def build(story: Story) -> StripeSimulator:
    """Return the account with all that it holds; names its wrong records in the key."""
    account = StripeSimulator(SECRETS["STRIPE_KEY"], now=utc_now)
    for one in story.customers:
        for entry in (e for e in one.entries if e.system == CONNECTION):
            address = {
                "city": one.place[1], "country": one.country, "line1": one.street, "line2": None,
                "postal_code": one.place[5], "state": one.place[0],
            }  # fmt: skip
            since = int(one.since.timestamp())
            account.put(
                "customers",
                sample.customer(entry.key, since, name=entry.name, email=entry.email,
                                address=address),
            )  # fmt: skip
    moved = sorted((m for m in story.movements if m.way == CONNECTION), key=lambda m: m.at)
    back = {m.of: m for m in moved if m.kind == "refund"}
    for each in moved:
        if each.kind == "payment":
            _charge(account, each, back.get(each.number))
        else:
            _refund(account, each)
    _payouts(account, moved)
    _wrong(account, story)
    return account


def _charge(account: StripeSimulator, moved: Movement, back: Movement | None) -> None:
    at, amount, entry = int(moved.at.timestamp()), _cents(moved.amount), f"txn_{moved.number[3:]}"
    is_good = moved.status == "succeeded"
    known = moved.payer.entry(CONNECTION) if moved.payer else None
    if is_good:
        settled, fee = _cents(moved.amount * _RATE), _cents(moved.fee * _RATE)
        made = sample.entry(entry, at, settled, "hkd", fee, source=moved.number,
                            exchange_rate=float(_RATE))  # fmt: skip
        account.put("balance_transactions", made)
    account.put(
        "charges",
        sample.charge(
            moved.number, at, amount, "cny", customer=known.key if known else None,
            metadata={"order_id": moved.order}, description=f"Order {moved.order}",
            balance_transaction=entry if is_good else None, captured=is_good, paid=is_good,
            status=moved.status, amount_captured=amount if is_good else 0,
            failure_message=None if is_good else "Your card was declined.",
            amount_refunded=_cents(back.amount) if back else 0,
            refunded=back is not None and back.amount == moved.amount,
        ),
    )  # fmt: skip


def _refund(account: StripeSimulator, moved: Movement) -> None:
    at, amount, entry = int(moved.at.timestamp()), _cents(moved.amount), f"txn_{moved.number}"
    settled = -_cents(moved.amount * _RATE)
    made = sample.entry(entry, at, settled, "hkd", type="refund", reporting_category="refund",
                        source=moved.number)  # fmt: skip
    account.put("balance_transactions", made)
    account.put(
        "refunds",
        sample.refund(moved.number, at, amount, "cny", moved.of, balance_transaction=entry,
                      metadata={"order_id": moved.order}, reason="requested_by_customer"),
    )  # fmt: skip


def _payouts(account: StripeSimulator, moved: list[Movement]) -> None:
    """Put a payout a week."""
    begin, weeks = int(moved[0].at.timestamp()), dict[int, Decimal]()
    for one in moved:
        if one.status == "succeeded":
            sign = 1 if one.kind == "payment" else -1
            week = (int(one.at.timestamp()) - begin) // _WEEK
            weeks[week] = weeks.get(week, Decimal(0)) + sign * one.amount - one.fee
    for week, amount in sorted(weeks.items()):
        at = begin + (week + 1) * _WEEK
        if amount > 0 and at < NOW.timestamp() - 3 * 86_400:
            made = sample.payout(f"po_{week:04d}", at, _cents(amount * _RATE), "hkd", status="paid")
            account.put("payouts", made)


def _wrong(account: StripeSimulator, story: Story) -> None:
    """Put charges in a state that a newer version of the API may bring."""
    at = int(NOW.timestamp()) - 90 * 86_400
    for place, word in enumerate(("on_review", "on_review", "blocked"), 1):
        key = f"ch_3Qodd{place}"
        account.put("charges", sample.charge(key, at, 100, "cny", status=word, captured=False))
        story.key.bad.append(Bad(CONNECTION, "charges", key, "payment", "status", word, kept=True))


def _cents(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value())
