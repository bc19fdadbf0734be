"""Rules whose pairs a person should look at: likely, not sure."""

from __future__ import annotations

from warehouse.matching.rule import EMAIL, PHONE, Rule

ASKED: tuple[Rule, ...] = (
    Rule(
        "phone and contact",
        f"as_firms and {PHONE} and contact >= 1",
        0.88,
        "phone + contact",
        auto=False,
    ),
    # A company's account may be in its contact's name; the contact may be a customer as well.
    Rule(
        "name of the contact",
        f"kind_l <> kind_r and same_called and region <> 0 "
        f"and ({PHONE} or {EMAIL} or same_tail or address >= 2)",
        0.65,
        "phone or email + name of the contact",
        auto=False,
    ),
    Rule("phone", f"{PHONE} and person >= 0", 0.9, "phone", auto=False),
    Rule("phone and likely company name", f"{PHONE} and company >= 1", 0.85, "phone", auto=False),
    Rule("email", f"{EMAIL} and (person >= 0 or company >= 0)", 0.85, "email", auto=False),
    Rule(
        "number and another name", "same_citizen or same_foreign_id", 0.8, "id_number", auto=False
    ),
    Rule(
        "masked phone and similar name",
        "same_tail and (person >= 2 or company >= 2)",
        0.75,
        "masked phone + similar name",
        auto=False,
    ),
    Rule(
        "company name",
        "company >= 6 and region >= 1 and (formal_l or formal_r) "
        "and not (other_phone and contact = -1)",
        0.75,
        "name",
        auto=False,
    ),
    Rule(
        "address and similar name",
        "(address >= 2 and person >= 3) or (address >= 1 and company >= 2)",
        0.7,
        "address + similar name",
        auto=False,
    ),
    Rule(
        "similar company name and city",
        "company between 3 and 5 and region = 2",
        0.6,
        "similar name + city",
        auto=False,
    ),
    Rule(
        "name and city", "person >= 5 and region = 2 and size <= 1", 0.55, "name + city", auto=False
    ),
    Rule(
        "address of a nickname",
        "address >= 2 and person between 1 and 2 and not other_phone and not other_called",
        0.5,
        "address",
        auto=False,
    ),
    Rule(
        "address and contact",
        "address >= 2 and same_called",
        0.5,
        "address + contact",
        auto=False,
    ),
    Rule("phone and same contact", f"{PHONE} and same_called", 0.5, "phone + contact", auto=False),
    Rule(
        "rare name",
        "region = 1 and size = 0 and (person = 6 or (person = 5 and not other_phone))",
        0.5,
        "rare name",
        auto=False,
    ),
)
