"""What is published of a column, in words: clear, masked, hashed, looked through, dropped.

The masks themselves are SQL (`mask.py`); this says of each what a reader sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from warehouse import mask
from warehouse.ddl import Field, Table
from warehouse.mask import PrivacyMode

Kind: TypeAlias = Literal["clear", "masked", "hashed", "guarded", "dropped"]

_SHOWN = {
    "name": ("the first sign: 王**", "仅首字：王**"),
    "phone": ("138****5678", "138****5678"),
    "email": ("w***@example.com", "w***@example.com"),
    "address": ("down to the city: 广东省深圳市****", "到市为止：广东省深圳市****"),
    "id_no": ("the last four: ****1234", "仅末四位：****1234"),
    "openid": ("the last four: ****1234", "仅末四位：****1234"),
    "bank": ("the last four: ****1234", "仅末四位：****1234"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What a reader sees of a column; `tag` is the model's, empty where it has none."""

    kind: Kind
    en: str
    zh: str
    tag: str = ""


CLEAR = Policy("clear", "as it is", "原样")
_HASHED = Policy("hashed", "a keyed hash, equal for equal values", "带密钥的哈希，值相同则哈希相同")
_GUARDED = Policy(
    "guarded",
    "as it is; a value that holds a phone, e-mail or identity number gets a name for it",
    "原样；若含电话、邮箱或证件号则换成代号",
)
_PARTY_KEY = Policy(
    "guarded",
    "as it is where it is plainly a system's own id, else a name for it",
    "系统自有编号原样显示，其余换成代号",
)
_DROPPED = Policy("dropped", "nothing", "不发布")
_UNLESS = ("; of organisations as it is", "；组织的原样显示")
_UNLESS_MOBILE = (  # a mobile number is somebody's
    "; of organisations as it is, unless a mobile number", "；组织的原样显示，手机号除外",
)  # fmt: skip
_USCC = Policy(
    "guarded",
    "as it is where it has the form of such a code, else a name for it",
    "符合统一社会信用代码格式的原样显示，其余换成代号",
)


def policy(table: Table, field: Field, mode: PrivacyMode) -> Policy:
    """Return what is published of a column of a table of the model (source, unified, history)."""
    tag = field.model.privacy if field.model else None
    if field.name.endswith("_hash") and field.model is None and field.name != "row_hash":
        return _HASHED
    if mode == "clear":
        return Policy("clear", CLEAR.en, CLEAR.zh, tag or "")
    if tag == "note":
        return Policy("dropped", _DROPPED.en, _DROPPED.zh, tag)
    if tag:
        return of_tag(tag, person_only=bool(field.model and field.model.person_only))
    if (field.sql_type == "JSON" and field.model is None) or field.name == "row_hash":
        return _DROPPED
    if mask.is_party_key(table, field):
        return _USCC if field.name == "uscc" else _PARTY_KEY
    return _GUARDED if mask.is_guarded(field) else CLEAR


def of_tag(tag: str, *, person_only: bool = False) -> Policy:
    """Return what is published of a value with the privacy tag `tag`."""
    en, zh = _SHOWN[tag]
    more = ("", "")
    if person_only:
        more = _UNLESS_MOBILE if tag == "phone" else _UNLESS
    return Policy("masked", en + more[0], zh + more[1], tag)
