"""Rules that decide a pair without weights, each with its reason; the first that holds counts."""

from __future__ import annotations

from warehouse.matching.asked import ASKED
from warehouse.matching.rule import EMAIL, PHONE, Rule

# What a company has besides its name; each once.
_BESIDES = (
    f"(({PHONE})::int + ({EMAIL})::int + (address >= 1)::int + (contact >= 1)::int "
    "+ (same_tail and phone_person is null)::int)"
)

# A whole company and a row that has none of its own name, as company or person.
_UNNAMED = (
    "((as_firms and coalesce(company, 0) between 0 and 1 and (whole_l or whole_r "
    "or (kind_l = 'O' and kind_r = 'O'))) "
    "or (kind_l = 'P' and guessed_l and whole_r) or (kind_r = 'P' and guessed_r and whole_l))"
)

# An account under its contact's name may be a company's that came into other hands.
_NOW = "coalesce(same_time, region = 2 or address >= 1)"

RULES: tuple[Rule, ...] = (
    # A code of the register is one organisation's. Nine different trade names under one code are
    # a default that somebody typed in: then the name must agree.
    Rule("uscc", "same_uscc and (uscc_trades < 9 or company >= 4)", 0.999, "uscc"),
    Rule("identity number", "same_citizen and person >= 0", 0.999, "id_number"),
    # The old tax number holds the organisation's code; branches of one company may share it.
    Rule(
        "tax number and name",
        "same_orgcode and not same_uscc and company >= 2",
        0.997,
        "tax_number + name",
    ),
    Rule(
        "tax number",
        "same_orgcode and not same_uscc and company between 0 and 1",
        0.99,
        "tax_number",
    ),
    # No check sign: a second field must agree.
    Rule(
        "document number",
        "same_foreign_id and (person >= 3 or birth_l = birth_r or address >= 1 "
        "or (postal_l = postal_r and person >= 0))",
        0.995,
        "id_number + another field",
    ),
    Rule(
        "account and name",
        "account_person is not null and (person >= 3 or company >= 3)",
        0.996,
        "account + name",
    ),
    Rule("account", "account_person = 0 and person between 0 and 2", 0.985, "account"),
    # -- persons. One number and one name: a second bearer of both is as good as impossible, except
    # at a switchboard with a common name.
    Rule(
        "phone and name",
        f"{PHONE} and person >= 5 and (phone_person <= 2 or size <= 1 or region = 2) "
        f"and (not by_contact or ({_NOW} and region >= 1 and (person = 6 or region = 2 "
        "or address >= 1)))",
        0.995,
        "phone + name",
    ),
    Rule("email and name", f"{EMAIL} and person >= 4", 0.995, "email + name"),
    Rule("phone and email", f"{PHONE} and {EMAIL} and person >= 1", 0.99, "phone + email"),
    # Sisters' names may look alike, so nobody else may use the number.
    Rule(
        "phone and similar name",
        f"{PHONE} and person = 4 and phone_person <= 1",
        0.985,
        "phone + similar name",
    ),
    Rule(
        "phone and part of name",
        f"{PHONE} and person = 3 and phone_person = 0 and {EMAIL}",
        0.985,
        "phone + email + part of name",
    ),
    # 老陈, 李女士 and 赵**: what is told agrees, and in years nobody else used the number.
    Rule(
        "phone and told part of name",
        f"{PHONE} and person = 3 and phone_person = 0 and region >= 1 and not other_called "
        "and same_time",
        0.982,
        "phone + part of name",
    ),
    # A nickname says nothing, and a household has one door and often one number: likely, not sure.
    Rule(
        "phone and door of a nickname",
        f"{PHONE} and person between 1 and 2 and phone_person = 0 and address = 3 "
        "and region = 2 and household <= 1 and not other_called and same_time",
        0.89,
        "phone + address",
        auto=False,
    ),
    # Seven digits leave about 400,000 numbers: with a name that is chance only in a crowd.
    Rule(
        "masked phone and name",
        "same_tail and person >= 5 and phone_person is null "
        "and (not by_contact or (region = 2 and coalesce(same_time, true))) "
        "and (region = 2 or (region = 1 and size <= 3) or (address >= 1 and size <= 2))",
        0.99,
        "masked phone + name",
    ),
    Rule(
        "address and name",
        "(person = 6 and address = 3) or (person = 5 and address = 3 and size <= 3) "
        "or (person >= 5 and address = 2 and size <= 1)",
        0.99,
        "address + name",
    ),
    # Four rows at most bear the name in the whole store, and two of them in one street.
    Rule(
        "rare name and place of the address",
        "person = 6 and size = 0 and address >= 1 and phone_person is null",
        0.98,
        "rare name + part of address",
    ),
    # The same, and both became customers about the same time. Two numbers may be one person's,
    # unless one system has the name with both, or the bearers have a third.
    Rule(
        "rare name and city",
        "person = 6 and size = 0 and region = 2 and same_time and contact >= 0 "
        "and (not other_phone or (two_systems and bearers <= 2)) and phone_person is null",
        0.975,
        "rare name + city",
    ),
    # One system tells no place or no number, and all that is known in the store of the few who bear
    # the name is one number and one city: there is one whom it can mean. A system that has the name
    # twice may know why.
    Rule(
        "rare name of one number and place",
        "person = 6 and size = 0 and bearers = 1 and region >= 1 and contact >= 0 "
        "and two_systems and same_time and phone_person is null",
        0.965,
        "rare name",
    ),
    Rule(
        "masked phone, door and part of name",
        "same_tail and person = 3 and address >= 2 and household <= 1 and same_time "
        "and phone_person is null and not other_called",
        0.87,
        "masked phone + address + part of name",
        auto=False,
    ),
    Rule(
        "masked phone and rare name",
        "same_tail and person = 6 and size = 0 and same_time and not by_contact "
        "and phone_person is null",
        0.976,
        "masked phone + rare name",
    ),
    # A mailbox is not handed on to others; a nickname says nothing against it.
    Rule(
        "email of a nickname",
        f"{EMAIL} and person between 1 and 2 and email_person = 0 and not other_phone",
        0.98,
        "email",
    ),
    # -- organisations. A whole legal name with its place is unique in its register.
    Rule("legal name", "company = 9 and not placed_otherwise", 0.99, "legal name with place"),
    Rule(
        "phone and company name",
        f"{PHONE} and company >= 6 and (region >= 1 or phone_firm = 0)",
        0.995,
        "phone + name",
    ),
    Rule("email and company name", f"{EMAIL} and company >= 6", 0.993, "email + name"),
    Rule(
        "masked phone and company name",
        "same_tail and company >= 6 and region >= 0",
        0.99,
        "masked phone + name",
    ),
    Rule(
        "address and company name",
        "address >= 1 and company >= 6 and not placed_otherwise "
        "and ((whole_l and whole_r) or contact >= 0) "
        "and (whole_l or whole_r or core_length >= 4 or trade_firms <= 1)",
        0.99,
        "address + name",
    ),
    Rule(
        "company name and city",
        "company = 8 and region = 2 and not placed_otherwise and whole_l and whole_r "
        "or (company = 8 and region = 2 and (whole_l or whole_r) and core_length >= 4 "
        "and contact >= 0 and trade_firms <= 1 and not placed_otherwise)",
        0.988,
        "name + city",
    ),
    Rule(
        "contact and company name",
        "contact >= 1 and company >= 6 and region >= 1",
        0.988,
        "contact + name",
    ),
    # A whole name with its legal form; the place that only one tells is no other place.
    Rule(
        "whole company name",
        "company = 8 and region = 1 and whole_l and whole_r and core_length >= 4",
        0.984,
        "whole name",
    ),
    # An account of the company in the name of its contact, on the contact's phone.
    Rule(
        "name of its contact and phone",
        f"{PHONE} and contact = 2 and own_contact and as_firms and region >= 1 "
        "and phone_firm <= 2 and kind_l = 'O' and kind_r = 'O' and (whole_l or whole_r)",
        0.97,
        "phone + contact",
    ),
    # A company's row under the name of its contact, or an account under a nickname with that
    # contact. A trader's contact is its owner, who may be a customer too; a whole company's is not.
    Rule(
        "contact and phone of one company",
        f"{PHONE} and same_called and phone_person = 0 and phone_firm <= 2 and region >= 1 "
        f"and same_time and {_UNNAMED}",
        0.968,
        "phone + contact",
    ),
    Rule(
        "contact and door of one company",
        f"same_called and address >= 2 and region >= 1 and same_time and {_UNNAMED}",
        0.966,
        "address + contact",
    ),
    # Companies of one group share numbers and have nearly one name.
    Rule(
        "phone and similar company name",
        f"company = 5 and (({PHONE} and phone_firm <= 1) or ({EMAIL} and email_firm <= 1) "
        "or address >= 2 or (same_tail and region = 2))",
        0.985,
        "phone, email or address + similar name",
    ),
    Rule(
        "one sign of the company name",
        f"company = 3 and {_BESIDES} >= 2 and coalesce(phone_firm, 0) <= 1 "
        "and coalesce(email_firm, 0) <= 1",
        0.98,
        "similar name + two other fields",
    ),
    # A short form fits several companies of a group, so what goes with it must be one company's.
    Rule(
        "phone and short name",
        f"company = 4 and region >= 1 and not placed_otherwise "
        "and (trade_firms <= 1 or core_length >= 4) "
        f"and (({PHONE} and phone_firm = 0) "
        f"or ({EMAIL} and email_firm = 0))",
        0.982,
        "phone or email + short name",
    ),
    Rule(
        "short name and other fields",
        f"company = 4 and {_BESIDES} >= 2 and region >= 1 "
        "and (trade_firms <= 1 or (contact >= 1 and coalesce(phone_firm, 0) = 0))",
        0.98,
        "short name + two other fields",
    ),
    Rule(
        "short name, contact and city",
        "company = 4 and (contact = 2 or address >= 2) and region = 2 and trade_firms <= 1",
        0.978,
        "short name + contact or address + city",
    ),
    Rule(
        "short name, phone and time",
        f"company = 4 and {PHONE} and phone_firm <= 2 and phone_person = 0 and region >= 1 "
        "and same_time and contact >= 0 and not placed_otherwise",
        0.974,
        "short name + phone",
    ),
    Rule(
        "short name, contact or door, and time",
        # Companies of a group sit behind one door, so the door counts for a trade name of few.
        "company = 4 and ((contact >= 1 and region = 2) "
        "or (address >= 2 and contact >= 0 and trade_firms <= 2)) "
        "and (whole_l or whole_r) and same_time and not placed_otherwise",
        0.972,
        "short name + contact or address",
    ),
    Rule(
        "name of one company",
        # Every county has its 张家百货店: only a name with a legal form is registered once.
        "company = 8 and same_time and not placed_otherwise and (whole_l or whole_r) "
        "and ((region = 2 and core_length >= 4) "
        "or (region = 1 and core_length >= 5 and trade_firms <= 1))",
        0.975,
        "name",
    ),
    # What stands in both is the whole name, in one city, and nothing else differs.
    Rule(
        "company name in one city",
        "company = 8 and region = 2 and not placed_otherwise and not other_phone "
        "and (whole_l or whole_r or (formal_l and formal_r and contact >= 0)) "
        "and core_length >= 4",
        0.973,
        "name + city",
    ),
    # As with the rare name of a person; a trade name of few, since every county has its 张家小吃店.
    Rule(
        "rare company name of one number and place",
        "company = 8 and firm_size = 0 and firm_bearers = 1 and region >= 1 and trade_firms <= 1 "
        "and contact >= 0 and two_systems and same_time and not other_phone "
        "and not placed_otherwise",
        0.964,
        "rare name",
    ),
    # Who has the name in short and seven digits of the number is hardly another.
    Rule(
        "masked phone and short name",
        "same_tail and company = 4 and not placed_otherwise and phone_person is null "
        "and (region = 2 or (region = 1 and same_time))",
        0.971,
        "masked phone + short name",
    ),
    *ASKED,
)


def decide_sql() -> str:
    """Return the SQL of (id_l, id_r, rule number) of the facts, null where no rule holds."""
    cases = " ".join(f"when {rule.when} then {n}" for n, rule in enumerate(RULES))
    return f"select *, (case {cases} end)::utinyint as rule from matching_facts"
