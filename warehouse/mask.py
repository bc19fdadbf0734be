"""What analysts may see of a value: masked by the model's privacy tags, joined by keyed hashes.

Hashes are HMAC-SHA256 under the company's key, cut to 128 bits; the key lives in two session
variables of the loading connection and is never written to a file.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from typing import Literal, TypeAlias

import duckdb

from warehouse.ddl import Field, Table, literal, quote
from warehouse.model import ENTITIES
from warehouse.model.base import Column

PrivacyMode: TypeAlias = Literal["masked", "clear"]
VERSION = "3"  # of the masks: another makes the projection anew
KEY_BYTES = 16
_HASHED = frozenset({"name", "phone", "email", "id_no", "openid", "bank"})

_MOBILE = (  # Chinese
    r"(?:(?:\+|00)?86[-. ()]{0,2})?1[3-9][0-9]"
    r"(?:[- ()]{0,2}[0-9]{4}[- ()]{0,2}[0-9]{4}|\.[0-9]{4}\.[0-9]{4})"
)
# Each with one sign around it that is no digit, so that a phone inside a longer number is no phone.
# A landline needs a separator: bare, it would also be many a bar code that begins with 0.
_NUMBER = (
    rf"(^|[^0-9])(?:{_MOBILE}"
    r"|0[1-9][0-9]{1,2}(?: ?[-.)] ?| )(?:[0-9]{7,8}|[0-9]{3,4}[- ][0-9]{4})"  # Chinese landline
    r"|\+[0-9][-0-9 ().]{7,17}[0-9]"  # international
    r"|[1-9][0-9]{5} ?(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]) ?[0-9]{3}[0-9Xx]"
    r")([^0-9]|$)"
)
_MAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_PERSONAL = f"{_NUMBER}|{_MAIL}"
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# What a system counts its parties with: never seven digits, which may be a phone, and never
# letters that may be a name. Said without a look ahead, so that it also tries many lines at once.
_PLAIN_KEY = (
    r"(?:(?:[A-Za-z]{1,3}|(?i:account|acct|client|company|contact|cust|customer|dealer|member|org"
    r"|party|person|supp|supplier|user|vendor))?(?:[-_./:#]?[0-9]){1,6}"
    rf"|cus_(?:[A-Za-z]*[0-9]){{1,6}}[A-Za-z]*|{_UUID})"
)
_OF_PARTY = "t.entity IN ('party', 'party_identifier', 'address')"
_USCC = "[0-9A-HJ-NP-RTUW-Y]{18}"
_WIDE = "０１２３４５６７８９＋－（）．＠　\u00a0\u2009\u202f‐‑‒–—−"
_NARROW = "0123456789+-().@    ------"
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"
_CITY = r"^(.{1,15}?(?:市|自治州|地区|盟))"


def use_key(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give `con` the key of the hashes; raises ValueError for one under 16 bytes."""
    if len(key) < KEY_BYTES:
        raise ValueError(f"the key of the hashes needs {KEY_BYTES} bytes and more")
    if len(key) > 64:
        key = hmac.digest(b"isthmus", key, "sha256")
    block = key.ljust(64, b"\0")
    con.execute("SET VARIABLE mask_inner = ?", [bytes(b ^ 0x36 for b in block)])
    con.execute("SET VARIABLE mask_outer = ?", [bytes(b ^ 0x5C for b in block)])


def forget_key(con: duckdb.DuckDBPyConnection) -> None:
    """Take the key away from `con`."""
    con.execute("RESET VARIABLE mask_inner")
    con.execute("RESET VARIABLE mask_outer")


def hash_sql(value: str) -> str:
    """Return the keyed hash of the text expression `value`: 32 hex digits, null for null."""
    return (
        "left(sha256(getvariable('mask_outer') || from_hex(sha256(getvariable('mask_inner') "
        f"|| encode({value})))), 32)"
    )


def pseudonym(value: str) -> str:
    """Return `value` unless it holds a phone, e-mail or identity number: then a name for it.

    Equal values get equal names, so that joins by a key go on working.
    """
    return (
        f"CASE WHEN {_personal(value)} AND NOT regexp_full_match({value}, {literal(_UUID)}) "
        f"THEN {_name_for(value)} ELSE {value} END"
    )


def party_key(value: str) -> str:
    """Return a party's key: a name for it unless it is plainly a system's own id.

    Plain are up to six digits, with a short prefix too (`c123`, `K0001`), `cus_…` and UUIDs. The
    owner's kind is not asked: a row that refers to it does not know it, and keys must go on
    joining.
    """
    return (
        f"CASE WHEN regexp_full_match({value}, {literal(f'(?:{_PLAIN_KEY})?')}) THEN {value} "
        f"WHEN {value} IS NOT NULL THEN {_name_for(value)} END"
    )


def is_plain_key(key: str) -> bool:
    """Return whether a key is plainly a system's own id (see `party_key`)."""
    return re.fullmatch(_PLAIN_KEY, key) is not None


def mask_sql(kind: str, value: str) -> str:
    """Return the mask of the privacy tag `kind` for the text expression `value`."""
    match kind:
        case "name":
            said = f"left(trim({value}), 1) || '**'"
        case "phone":
            said = (
                f"list_transform([{_digits(value)}], lambda d: CASE WHEN length(d) >= 11 THEN "
                "concat(left(d, 3), '****', right(d, 4)) WHEN length(d) >= 7 THEN "
                "concat(left(d, 2), '****', right(d, 2)) ELSE '****' END)[1]"
            )
        case "email":
            said = (
                f"CASE WHEN contains({value}, '@') THEN left(trim({value}), 1) || '***@' || "
                f"lower(split_part(trim({value}), '@', -1)) ELSE '****' END"
            )
        case "address":
            said = f"regexp_extract(trim({value}), '{_CITY}', 1) || '****'"
        case "note":
            return "CAST(NULL AS VARCHAR)"
        case _:
            said = (
                f"CASE WHEN length(trim({value})) >= 8 THEN '****' || right(trim({value}), 4) "
                "ELSE '****' END"
            )
    return f"CASE WHEN {value} IS NOT NULL THEN {said} END"


def normal_sql(kind: str, value: str) -> str:
    """Return the form of `value` that is hashed, so that spellings of one thing meet."""
    match kind:
        case "phone":
            said = _digits(value)
        case "email":
            said = f"lower(trim({value}))"
        case "name":
            said = f"trim({value})"
        case _:
            said = f"upper(trim({value}))"
    return f"nullif({said}, '')"


def public_fields(table: Table) -> tuple[Field, ...]:
    """Return the columns of a table as published: hash columns stand behind what they hash."""
    found: list[Field] = []
    for field in table.fields:
        if field.private:
            continue
        found.append(field)
        if _is_hashed(table, field):
            found.append(
                Field(
                    f"{field.name}_hash", "VARCHAR", f"{field.en} (hash)", f"{field.zh}（哈希）",
                    "Keyed hash of the value in its normal form, for joins", lazy=True,
                )
            )  # fmt: skip
    return tuple(found)


def public_table(table: Table) -> Table:
    """Return `table` as published."""
    return replace(table, fields=public_fields(table))


def select_list(
    table: Table, mode: PrivacyMode, owner_kind: str | None = None, *, suspect: bool = True
) -> list[str]:
    """Return the expressions of `public_fields(table)` over the private row under alias t.

    `owner_kind` is the SQL of the owner's kind for children of a party; without it they count as a
    person's. `suspect` false leaves columns without a privacy tag as they are: right for rows that
    `suspect_sql` is false for, and ten times as fast.
    """
    found: list[str] = []
    for field in table.fields:
        if field.private:
            continue
        value = f"t.{quote(field.name)}"
        tagged = field.model.privacy if field.model else None
        if mode == "clear":
            found.append(value)
        elif tagged:
            found.append(_tagged(table, field, owner_kind))
        elif field.sql_type == "JSON" and field.model is None:
            found.append("CAST(NULL AS JSON)")  # ext, bookmark: nobody has said what is in it
        elif field.name == "row_hash":
            # Over clear values and without a key: four hidden digits could be found by trying.
            found.append("CAST(NULL AS UBIGINT)")
        else:
            found.append(_untagged(table, field) if suspect else value)
        if _is_hashed(table, field):
            found.append(hash_sql(_normal(field, str(tagged), value)))
    return found


def suspect_sql(table: Table) -> str:
    """Return the condition under which an untagged column of the row may hold personal data."""
    texts = [f"t.{quote(f.name)}" for f in table.fields if is_guarded(f)]
    keys = [f"t.{quote(f.name)}" for f in table.fields if is_party_key(table, f)]
    if not texts:
        return "(false)"
    every = _narrow(f"concat_ws(chr(10), {', '.join(texts)})")
    said = f"regexp_matches({every}, {literal(_PERSONAL)})"
    if keys:
        both = f"concat_ws(chr(10), {', '.join(keys)})"
        lines = rf"(?:{_PLAIN_KEY})?(?:\n(?:{_PLAIN_KEY})?)*"
        said += f" OR NOT regexp_full_match({both}, {literal(lines)})"
    if table.entity is None and "entity" in table.names:
        said += f" OR coalesce({_OF_PARTY}, false)"
    return f"({said})"


def _is_hashed(table: Table, field: Field) -> bool:
    """Whether the column has a hash: golden rows only, hashing costs most of a projection."""
    return table.schema == "unified" and bool(field.model and field.model.privacy in _HASHED)


_OURS = frozenset({"connection", "stream", "mapping", "sha256"})
"""Columns that hold what we wrote; the digits of a sum may look like a phone number."""


def is_guarded(field: Field) -> bool:
    """Whether an untagged column is looked through."""
    tagged = field.model.privacy if field.model else None
    text = field.sql_type == "VARCHAR" or (field.sql_type == "JSON" and field.model is not None)
    return text and not tagged and field.name not in _OURS


def is_party_key(table: Table, field: Field) -> bool:
    """Whether a column is a key or code of a party: it may be a name or an openid."""
    col = field.model
    if col is not None and col.ref:
        return col.ref == "party"
    if table.entity is None or "party" not in {table.entity, ENTITIES[table.entity].parent}:
        return False
    own = field.name in {"source_key", "parent_key", "record_key"}
    return own or bool(col and col.natural and not col.privacy)


def _tagged(table: Table, field: Field, owner_kind: str | None) -> str:
    value, col = f"t.{quote(field.name)}", field.model
    if col is None or col.privacy is None:
        return value
    organisation = _organisation(table.entity, field, owner_kind)
    if _by_scheme(col, field):
        return _scheme_mask(value, organisation)
    masked = mask_sql(col.privacy, value)
    return _unless_organisation(col.privacy, value, masked, organisation)


def _untagged(table: Table, field: Field) -> str:
    value = f"t.{quote(field.name)}"
    if not is_guarded(field):
        return value
    if field.sql_type == "JSON":
        return f"CASE WHEN {_personal(f'{value}::varchar')} THEN NULL ELSE {value} END"
    if table.entity is None and field.name == "source_key" and "entity" in table.names:
        return f"CASE WHEN {_OF_PARTY} THEN {party_key(value)} ELSE {pseudonym(value)} END"
    if not is_party_key(table, field):
        return pseudonym(value)
    if field.name == "uscc":  # of organisations alone, and 18 digits of one are no identity number
        plain = f"regexp_full_match({value}, '{_USCC}') AND NOT {_personal(value)}"
        return f"CASE WHEN {plain} THEN {value} ELSE {party_key(value)} END"
    return party_key(value)


def _by_scheme(col: Column, field: Field) -> bool:
    return field.name == "value" and col.person_only


def _scheme_mask(value: str, organisation: str) -> str:
    phone = _unless_organisation("phone", value, mask_sql("phone", value), organisation)
    number = _unless_organisation("id_no", value, mask_sql("id_no", value), organisation)
    return (
        f"CASE t.scheme WHEN 'email' THEN {mask_sql('email', value)} WHEN 'phone' THEN {phone} "
        f"WHEN 'uscc' THEN {value} WHEN 'tax_number' THEN {number} "
        f"WHEN 'bank_account' THEN {number} WHEN 'domain' THEN {pseudonym(value)} "
        f"WHEN 'external_code' THEN {party_key(value)} ELSE {mask_sql('id_no', value)} END"
    )


def _normal(field: Field, kind: str, value: str) -> str:
    if field.model is None or not _by_scheme(field.model, field):
        return normal_sql(kind, value)
    return (
        f"CASE t.scheme WHEN 'email' THEN {normal_sql('email', value)} "
        f"WHEN 'phone' THEN {normal_sql('phone', value)} ELSE {normal_sql('id_no', value)} END"
    )


def _unless_organisation(kind: str, value: str, masked: str, organisation: str) -> str:
    if organisation == "false":
        return masked
    # A mobile number is somebody's, whoever's record it stands in.
    clear = pseudonym(value) if kind == "name" else value
    mobile = f"regexp_matches({_narrow(value)}, {literal(_MOBILE)})" if kind == "phone" else "false"
    return f"CASE WHEN ({organisation}) AND NOT {mobile} THEN {clear} ELSE {masked} END"


def _organisation(entity: str | None, field: Field, owner_kind: str | None) -> str:
    """Return the SQL condition under which the row speaks of an organisation."""
    if entity is None or field.model is None or not field.model.person_only:
        return "false"
    kind = kind_of(entity, field.name)
    if kind is not None:
        return f"coalesce(t.{quote(kind)} = 'organization', false)"
    return f"coalesce({owner_kind} = 'organization', false)" if owner_kind else "false"


def kind_of(entity: str, field: str) -> str | None:
    """Return the column that says of whom `field` speaks, a person or an organisation."""
    columns = ENTITIES[entity].columns()
    for name in (f"{field.split('_')[0]}_kind", "kind"):
        if "organization" in (columns[name].words if name in columns else ()):
            return name
    return None


def _digits(value: str) -> str:
    bare = f"regexp_replace({_narrow(value)}, '[^0-9]', '', 'g')"
    return rf"regexp_replace({bare}, '^(?:00)?86(1[3-9][0-9]{{9}})$', '\1')"


def _personal(value: str) -> str:
    return f"(length({value}) >= 5 AND regexp_matches({_narrow(value)}, {literal(_PERSONAL)}))"


def _narrow(value: str) -> str:
    """Return `value` with full-width digits and signs as plain ones, unseen signs left out.

    DuckDB knows no NFKC; these are what a phone number or an address is written with.
    """
    return (
        f"CASE WHEN strlen({value}) = length({value}) THEN {value} ELSE "
        f"translate({value}, {literal(_WIDE + _UNSEEN)}, {literal(_NARROW)}) END"
    )


def _name_for(value: str) -> str:
    return f"'masked:' || left({hash_sql(f'trim({value})')}, 16)"
