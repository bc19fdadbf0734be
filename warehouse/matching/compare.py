"""How alike two rows are, field by field: levels as SQL over columns with `_l` and `_r`."""

from __future__ import annotations

# Where two parties are: 2 the same city, 1 nothing to compare, 0 other cities of addresses (people
# move, companies have several), -1 names that say two different places.
REGION = """case
    when said_city_l <> said_city_r or said_province_l <> said_province_r then -1
    when coalesce(said_city_l, city_l) = coalesce(said_city_r, city_r)
        or said_city_l = city_r or said_city_r = city_l then 2
    when coalesce(said_city_l, city_l) <> coalesce(said_city_r, city_r) then 0
    when coalesce(said_province_l, province_l) <> coalesce(said_province_r, province_r) then 0
    else 1 end"""


def _short(s: str, w: str) -> str:
    """Whether the name on side `s` is a short form of the one on side `w`.

    It has no legal form, and is the beginning of the whole name, its trade name, or takes its signs
    in order from it (with the region before it or not), the first one at its beginning.
    """
    return (
        f"(form_{s} = '' and length(core_{s}) < length(core_{w}) and "
        f"length(core_{s}) >= 2 and (starts_with(core_{w}, core_{s}) or core_{s} = trade_{w} "
        f"or core_{w} like pattern_{s} "
        f"or coalesce(said_city_{w}, city_{w}, '') || core_{w} like pattern_{s}))"
    )


def _letters(s: str, w: str) -> str:
    """Whether side `s` is in letters that spell the beginning of the signs of side `w`."""
    return (
        f"(regexp_full_match(core_{s}, '[a-z]+') and contains(sound_{s}, ' ') "
        f"and starts_with(sound_{w} || ' ', sound_{s} || ' '))"
    )


_NEAR_BYTES = "levenshtein(core_l, core_r) <= 3"

# Names of organisations: 9 whole legal names with their place, 8 the same name, 7 the same with
# another legal form, 6 the same but for signs of one sound or look, 5 so, but too short to be sure,
# 4 a short form, 3 one sign differs, 2 the same trade name, 1 one has none, 0 other names,
# -1 two whole names that differ, or a branch and its company.
COMPANY = f"""case
    when core_l is null or core_r is null then 1
    when branch_l <> branch_r or ({REGION}) = -1 then -1
    when core_l = core_r then case
        when form_l <> form_r and form_l <> '' and form_r <> '' then 7
        when form_l <> '' and form_r <> '' and said_province_l = said_province_r then 9
        else 8 end
    when sound_l = sound_r or look_l = look_r
        then if(least(length(core_l), length(core_r)) >= 3, 6, 5)
    when alias_l = core_r or alias_r = core_l or alias_l = alias_r then 4
    when {_short("l", "r")} or {_short("r", "l")} then 4
    when {_letters("l", "r")} or {_letters("r", "l")} then 4
    when length(core_l) >= 4 and length(core_r) >= 4
        and abs(length(core_l) - length(core_r)) <= 1 and {_NEAR_BYTES} then 3
    when formal_l and formal_r then -1
    when trade_l = trade_r then 2
    else 0 end"""

# Names of persons: 6 the same signs or words, 5 the same letters (pinyin, signs of one sound),
# 4 signs that look alike or nearly the same foreign words, 3 the part that is told agrees,
# 1 one of them is no name, 0 other foreign words, -1 two names.
PERSON = """case
    when han_l = han_r then 6
    when list_has_any(keys_l, keys_r) then if(contains(keys_l[1], ' '), 6, 5)
    when han_l is not null and han_r is not null then 
        if(person_look_l = person_look_r or person_soft_l = person_soft_r, 4, -1)
    when surname_l = given_l or surname_r = given_r then case
        when surname_l = given_l and surname_r = given_r then if(surname_l = surname_r, 2, 1)
        when coalesce(han_l, han_r) is null then 1
        when contains(coalesce(han_l, han_r), if(han_l is null, surname_l, surname_r)) then 3
        else 1 end
    when surname_l is not null or surname_r is not null or given_l is not null
        or given_r is not null then case
        when coalesce(surname_l, han_l[1]) <> coalesce(surname_r, han_r[1]) then -1
        when coalesce(given_l, han_l[-1]) <> coalesce(given_r, han_r[-1]) then -1
        when han_l is null and han_r is null then 2
        when han_l is null and coalesce(surname_l, given_l) is null then 1
        when han_r is null and coalesce(surname_r, given_r) is null then 1
        else 3 end
    when len(keys_l) = 0 or len(keys_r) = 0 then 1
    when contains(keys_l[1], ' ') <> contains(keys_r[1], ' ')
        and (han_l is not null or han_r is not null) then 1
    when contains(keys_l[1], ' ') or contains(keys_r[1], ' ') then
        if(jaro_winkler_similarity(keys_l[1], keys_r[1]) >= 0.88
            or jaro_winkler_similarity(person_text_l, person_text_r) >= 0.88, 4, 0)
    else -1 end"""

_COMMON = "len(list_intersect(numbers_l, numbers_r))"
_LAST = "numbers_l[-1] = numbers_r[-1]"

# Addresses, of which each side may leave out road, estate or building: 3 a name, the last number
# and another number are the same and one tells no number that the other lacks, 2 a name and the
# door are the same, 1 a name and a number, 0 else.
ADDRESS = f"""case
    when city_l <> city_r or not list_has_any(places_l, places_r) then 0
    when {_COMMON} >= 2 and {_LAST}
        and {_COMMON} >= least(len(list_distinct(numbers_l)), len(list_distinct(numbers_r))) then 3
    when {_LAST} and (length(numbers_l[-1]) >= 3 or {_COMMON} >= 2) then 2
    when {_COMMON} >= 1 then 1
    else 0 end"""

CONTACT = """case when contact_l = contact_r then 2
    when list_has_any(contact_keys_l, contact_keys_r) then 1
    when len(contact_keys_l) > 0 and len(contact_keys_r) > 0 then -1 else 0 end"""

# Both have full numbers or both masks, and none agrees.
OTHER_PHONE = (
    "(len(tails_l) > 0 and len(tails_r) > 0 and not list_has_any(tails_l, tails_r) "
    "and not list_has_any(phones_l, phones_r))"
)
