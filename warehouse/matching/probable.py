"""Splink 5 weighs the pairs that no rule joins: fields that agree a little, together.

The chances are fixed and reasoned, never estimated from the rows: so a pair's score hangs on its
two rows and the steps of the counts alone, in any order of syncs, incremental or whole. `m` is the
chance of a level among pairs of one party, `u` among others, both of the pairs of a store of about
100,000 parties; the rarity of a name comes from the rows as a step (`keys.stats_sql`): a name that
c rows bear is shared by others with u = c / 100,000.
"""

from __future__ import annotations

from typing import Any

import duckdb

from warehouse.matching import compare

# One pair of 100,000 is of one party, as in a store of 100,000 parties with a few rows each.
PRIOR = 1e-5
# A wrong merge of companies moves money, and their groups agree in more fields than households do.
AUTO = {"persons": 0.95, "companies": 0.9995}
ASK = 0.5
# Below the weakest rule: a rule's edge is taken before a weighed one.
TOP = 0.97


def _level(sql: str, label: str, m: float, u: float) -> dict[str, Any]:
    return {
        "sql_condition": sql,
        "label_for_charts": label,
        "m_probability": m,
        "u_probability": u,
        "fix_m_probability": True,
        "fix_u_probability": True,
    }


def _null(sql: str) -> dict[str, Any]:
    return {"sql_condition": sql, "label_for_charts": "missing", "is_null_level": True}


def _comparison(name: str, *levels: dict[str, Any]) -> dict[str, Any]:
    return {"output_column_name": name, "comparison_levels": list(levels)}


def _phone(same: tuple[float, float], masked: tuple[float, float], other: float) -> dict[str, Any]:
    """Compare phones; (m, u) of the same and of one that may be it behind its mask, m of others."""
    return _comparison(
        "phone",
        _null("len(tails_l) + len(phones_l) = 0 or len(tails_r) + len(phones_r) = 0"),
        _level("list_has_any(phones_l, phones_r)", "same phone", *same),
        _level("list_has_any(tails_l, tails_r)", "same masked phone", *masked),
        _level("ELSE", "other phone", other, 0.999),
    )


def _email(m: float, u: float) -> dict[str, Any]:
    """Compare e-mails; chances of the same."""
    return _comparison(
        "email",
        _null("len(emails_l) = 0 or len(emails_r) = 0"),
        _level("list_has_any(emails_l, emails_r)", "same email", m, u),
        _level("ELSE", "other email", 1 - m, 0.999),
    )


_SIZE = "greatest(size_l, size_r)"
_PERSON = f"({compare.PERSON})"
_WORDS = "jaro_winkler_similarity(person_text_l, person_text_r)"

PERSONS = (
    _comparison(
        "name",
        _null("person_text_l is null or person_text_r is null"),
        # Same name: 3 of 4 rows of a person keep it to the letter.
        _level(f"{_PERSON} >= 5 and {_SIZE} = 0", "same rare name", 0.74, 3e-5),
        _level(f"{_PERSON} >= 5 and {_SIZE} <= 1", "same name of few", 0.74, 1e-4),
        _level(f"{_PERSON} >= 5 and {_SIZE} <= 2", "same name of many", 0.74, 5e-4),
        _level(f"{_PERSON} >= 5 and {_SIZE} <= 3", "same common name", 0.74, 3e-3),
        _level(f"{_PERSON} >= 5", "same very common name", 0.74, 1e-2),
        # A slip of the pen; among others a near name is a thousandth.
        _level(f"{_PERSON} = 4 or {_WORDS} >= 0.94", "nearly the same name", 0.14, 3e-4),
        _level(f"{_PERSON} = 3 or {_WORDS} >= 0.84", "part of the name", 0.06, 5e-3),
        _level(f"{_PERSON} = 1", "no name to compare", 0.02, 2e-2),
        _level("ELSE", "other name", 0.04, 0.97),
    ),
    _comparison(
        "birth_date",
        _null("birth_l is null or birth_r is null"),
        # Some 55 years of days.
        _level("birth_l = birth_r", "same birth date", 0.9, 5e-5),
        # One digit, or day and month changed: a dozen or two dates of 20,000.
        _level(
            "levenshtein(strftime(birth_l, '%Y%m%d'), strftime(birth_r, '%Y%m%d')) = 1 or "
            "(year(birth_l) = year(birth_r) and day(birth_l) = month(birth_r) "
            "and month(birth_l) = day(birth_r)) or "
            "damerau_levenshtein(strftime(birth_l, '%Y%m%d'), strftime(birth_r, '%Y%m%d')) = 1",
            "nearly the same birth date",
            0.06,
            2e-3,
        ),
        _level("ELSE", "other birth date", 0.04, 0.998),
    ),
    _comparison(
        "id_number",
        _null("foreign_id_l is null or foreign_id_r is null"),
        # Passports are renewed under another number.
        _level("foreign_id_l = foreign_id_r", "same id number", 0.82, 1e-6),
        _level(
            "damerau_levenshtein(foreign_id_l, foreign_id_r) = 1",
            "nearly the same id number",
            0.1,
            2e-5,
        ),
        _level("ELSE", "other id number", 0.08, 0.999),
    ),
    # A household of three shares it.
    _phone(same=(0.6, 3e-5), masked=(0.1, 5e-5), other=0.3),
    _email(0.6, 2e-5),
    _comparison(
        "address",
        _null("address_l is null or address_r is null"),
        # A household of three lives there; a house with many flats is level 1 only.
        _level(
            f"({compare.ADDRESS}) = 3 or jaro_winkler_similarity(address_l, address_r) >= 0.97",
            "same address",
            0.5,
            3e-5,
        ),
        _level(
            f"({compare.ADDRESS}) = 2 or jaro_winkler_similarity(address_l, address_r) >= 0.9",
            "nearly the same address",
            0.25,
            5e-4,
        ),
        _level(f"({compare.ADDRESS}) = 1", "same house", 0.1, 1e-3),
        _level("ELSE", "other address", 0.15, 0.998),
    ),
    _comparison(
        "place",
        _null("coalesce(postal_l, city_l) is null or coalesce(postal_r, city_r) is null"),
        # An address that agrees brings its place with it, so the place weighs little by itself.
        _level("postal_l = postal_r", "same postal code", 0.7, 0.02),
        _level("city_l = city_r", "same city", 0.85, 0.06),
        _level("ELSE", "other place", 0.12, 0.94),
    ),
)

_COMPANY = f"({compare.COMPANY})"
_FIRMS = "greatest(trade_firms_l, trade_firms_r)"

COMPANIES = (
    _comparison(
        "name",
        _null("core_l is null or core_r is null"),
        _level(f"{_COMPANY} >= 7", "same name", 0.55, 2e-5),
        _level(f"{_COMPANY} >= 5", "name of one sound or look", 0.1, 2e-5),
        # A short form of a trade name that one company has; of one that several have it says less.
        _level(f"{_COMPANY} = 4 and {_FIRMS} <= 1", "short form of one name", 0.15, 5e-5),
        _level(f"{_COMPANY} = 4", "short form of several names", 0.05, 1e-3),
        _level(f"{_COMPANY} = 3", "one sign differs", 0.06, 2e-4),
        _level(f"{_COMPANY} = 2", "same trade name", 0.03, 1e-3),
        _level(f"{_COMPANY} = -1", "other company", 0.001, 0.5),
        _level("ELSE", "other name", 0.05, 0.5),
    ),
    # Companies of a group and of a building share it.
    _phone(same=(0.5, 2e-4), masked=(0.1, 2e-4), other=0.4),
    _email(0.5, 2e-4),
    _comparison(
        "address",
        _null("address_l is null or address_r is null"),
        # An office tower has many companies, and those of a group sit in one.
        _level(f"({compare.ADDRESS}) = 3", "same address", 0.45, 3e-4),
        _level(f"({compare.ADDRESS}) >= 1", "same house", 0.3, 1e-3),
        _level("ELSE", "other address", 0.25, 0.998),
    ),
    _comparison(
        "contact",
        _null("len(contact_keys_l) = 0 or len(contact_keys_r) = 0"),
        _level("contact_l = contact_r", "same contact", 0.4, 5e-4),
        _level("list_has_any(contact_keys_l, contact_keys_r)", "contact of one sound", 0.1, 5e-4),
        _level("ELSE", "other contact", 0.5, 0.999),
    ),
    _comparison(
        "place",
        _null(f"({compare.REGION}) = 1"),
        _level(f"({compare.REGION}) = 2", "same city", 0.85, 0.06),
        _level("ELSE", "other place", 0.15, 0.94),
    ),
)

# A household shares number and door, and some of it a part of the name or nearly all of it.
_HOUSEHOLD = (
    "(d.person = 3 and d.household > 1 or d.person = 4 and coalesce(d.phone_person, 0) > 1 "
    "and not coalesce(d.same_time, true))"
)
# A common name is common in its city too, so name, city and house are not three things.
_CROWD = (
    "(d.person >= 5 and d.size >= 2 and d.address < 2 and d.phone_person is null "
    "and d.email_person is null and not d.same_tail and not d.same_foreign_id "
    "and coalesce(d.birth_l <> d.birth_r, true))"
)

# Which of the undecided pairs are worth weighing, of each model.
_WORTH = {
    "persons": (
        PERSONS,
        # Another mailbox is another person of the house.
        "kind_l = 'P' and kind_r = 'P' and person >= 0 and not coalesce(auto, false) "
        "and not (person < 5 and other_email)",
    ),
    "companies": (
        COMPANIES,
        "kind_l = 'O' and kind_r = 'O' and company >= 2 and not coalesce(auto, false)",
    ),
}


def score(con: duckdb.DuckDBPyConnection) -> None:
    """Make the temp table `matching_probable (a, b, auto, score, rule, evidence)`."""
    from warehouse.matching.rules import RULES

    con.execute(
        "create or replace temp table matching_probable "
        "(a BIGINT, b BIGINT, auto BOOLEAN, score DOUBLE, rule VARCHAR, evidence VARCHAR)"
    )
    autos = ", ".join(str(n) for n, rule in enumerate(RULES) if rule.auto)
    for model, (comparisons, worth) in _WORTH.items():
        con.execute(
            "create or replace temp table matching_blocked as "
            "select '0' as match_key, a as join_key_l, b as join_key_r from "
            f"(select *, rule in ({autos}) as auto from matching_decided) where {worth}"
        )
        # Fetched to its end: Splink's relations need the connection for themselves.
        if con.execute("select count(*) from matching_blocked").fetchall() != [(0,)]:
            _weigh(con, model, comparisons)


def _weigh(con: duckdb.DuckDBPyConnection, model: str, comparisons: tuple[Any, ...]) -> None:
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection=con)
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "n",
        "probability_two_random_records_match": PRIOR,
        "blocking_rules_to_generate_predictions": ["l.n = r.n"],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "comparisons": [dict(c) for c in comparisons],
    }
    linker = Linker(
        api.register("matching_input"), settings, log_level=None, validate_settings=False
    )
    linker.table_management.register_blocked_pairs_for_predict(api.register("matching_blocked"))
    found = linker.inference.predict(threshold_match_probability=ASK, warning_mode="never")
    said = ", ".join(
        f"case when mw_{c['output_column_name']} > 1 then '{c['output_column_name']}' end"
        for c in comparisons
    )
    # A household shares phone and address, so these alone are nobody's, nor with a name in part.
    own = [c for c in ("name", "birth_date", "id_number") if f"'{c}'" in said]
    sure = " or ".join(f"mw_{c} > 1" for c in own)
    born = " or ".join(f"mw_{c} > 1" for c in own if c != "name") or "false"
    con.execute(f"""
        insert into matching_probable
        select n_l, n_r, match_probability >= {AUTO[model]} and ({sure})
                and not coalesce({_HOUSEHOLD} or {_CROWD}
                    or d.household > 1 and d.person = 0 and not ({born}), false),
            least(match_probability * {TOP}, {TOP}),
            'weighed {model}', concat_ws(' + ', {said})
        from {found.physical_name} join matching_decided d on d.a = n_l and d.b = n_r
    """)
    found.drop_table_from_database_and_remove_from_cache()
