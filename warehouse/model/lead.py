"""Somebody who may become a customer."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Lead(Entity):
    """A person or company that asked, or was found, and is no customer yet."""

    entity: ClassVar[str] = "lead"
    table: ClassVar[str] = "leads"
    en: ClassVar[str] = "Lead"
    zh: ClassVar[str] = "线索"
    about: ClassVar[str] = "somebody who may become a customer, before a sale is in sight"

    number: Annotated[
        c.Text, c.text("Lead number", "线索编号", "Number of the record", natural=True)
    ] = None
    name: Annotated[c.Text, c.text("Contact", "联系人", "Whom to speak to", privacy="name")] = None
    company_name: Annotated[
        c.Text, c.text("Company", "公司名称", "Company as typed, which is no party yet")
    ] = None
    job_title: Annotated[c.Text, c.text("Job title", "职务", "Position of the contact")] = None
    phone: Annotated[c.Text, c.text("Phone", "电话", "Phone of the contact", privacy="phone")] = (
        None
    )
    email: Annotated[
        c.Text, c.text("E-mail", "电子邮箱", "E-mail of the contact", privacy="email")
    ] = None
    country: Annotated[c.Text, c.country()] = None
    region: Annotated[c.Text, c.text("Province", "省份", "Province or state")] = None
    city: Annotated[c.Text, c.text("City", "城市", "City")] = None
    address: Annotated[
        c.Text, c.text("Address", "地址", "Address in one line", privacy="address")
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "How far it has come",
            "new",
            "working",
            "qualified",
            "unqualified",
            "converted",
        ),
    ] = None
    stage: Annotated[c.Text, c.text("Stage", "阶段", "Step of the process, as named")] = None
    source_name: Annotated[c.Text, c.text("Source", "来源", "Where it came from, as named")] = None
    amount: Annotated[c.Number, c.money("Amount", "预计金额", "What it may bring")] = None
    currency: Annotated[c.Text, c.currency()] = None
    owner_key: Annotated[
        c.Text, c.text("Owner", "负责人", "Employee in charge, as the source keys it")
    ] = None
    pool_key: Annotated[
        c.Text, c.text("Pool", "线索池", "Pool it lies in, as the source keys it")
    ] = None
    assigned_at: Annotated[
        c.Moment, c.instant("Assigned at", "分配时间", "When somebody got it")
    ] = None
    converted_at: Annotated[
        c.Moment, c.instant("Converted at", "转化时间", "When it became a customer")
    ] = None
    customer_key: Annotated[
        c.Text,
        c.key("Customer", "转化客户", "The customer it became", ref="party", resolved="party_id"),
    ] = None
    opportunity_key: Annotated[
        c.Text,
        c.key(
            "Opportunity",
            "转化商机",
            "The opportunity it became",
            ref="opportunity",
            resolved="opportunity_id",
        ),
    ] = None
    lost_reason: Annotated[
        c.Text, c.note("Lost because", "无效原因", "Why it was given up, in words")
    ] = None
    organization_key: Annotated[c.Text, c.organization("组织", "Own legal entity")] = None
    note: Annotated[c.Text, c.note("Note", "备注", "Free text")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
