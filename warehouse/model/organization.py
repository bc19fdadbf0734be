"""The company's own legal entities: who sells, buys, keeps stock and books."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Organization(Entity):
    """One of the company's own organisations, as an ERP keeps them apart."""

    entity: ClassVar[str] = "organization"
    table: ClassVar[str] = "organizations"
    en: ClassVar[str] = "Organisation"
    zh: ClassVar[str] = "组织"
    about: ClassVar[str] = "an own legal entity or unit in whose name documents are made"

    code: Annotated[c.Text, c.text("Code", "组织编码", "The organisation's code", natural=True)] = (
        None
    )
    name: Annotated[c.Text, c.text("Name", "组织名称", "The organisation's name")] = None
    status: Annotated[
        c.Text, c.word("Status", "状态", "Whether it is in use", "active", "inactive")
    ] = None
    currency: Annotated[c.Text, c.currency("Currency of the books", "本位币")] = None
    party_key: Annotated[
        c.Text,
        c.key("Party", "往来单位", "It, as a party", ref="party", resolved="party_id"),
    ] = None
    parent_organization_key: Annotated[
        c.Text,
        c.key(
            "Parent organisation",
            "上级组织",
            "The organisation it belongs to",
            ref="organization",
            resolved="parent_organization_id",
        ),
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
