"""What customers ask for help with."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Ticket(Entity):
    """A question, complaint or repair that a service team works on."""

    entity: ClassVar[str] = "ticket"
    table: ClassVar[str] = "tickets"
    en: ClassVar[str] = "Ticket"
    zh: ClassVar[str] = "工单"
    about: ClassVar[str] = "a question, complaint or repair that a service team works on"

    number: Annotated[
        c.Text, c.text("Ticket number", "工单编号", "Number of the record", natural=True)
    ] = None
    subject: Annotated[c.Text, c.note("Subject", "主题", "What it is about, as typed")] = None
    description: Annotated[c.Text, c.note("Description", "问题描述", "The whole, as typed")] = None
    kind: Annotated[c.Text, c.text("Kind", "工单类型", "Kind as the source names it")] = None
    customer_key: Annotated[
        c.Text, c.key("Customer", "客户", "Who asks", ref="party", resolved="party_id")
    ] = None
    contact_key: Annotated[
        c.Text,
        c.key("Contact", "联系人", "Whom to speak to", ref="party", resolved="contact_id"),
    ] = None
    order_key: Annotated[
        c.Text,
        c.key("Order", "订单", "The order it is about", ref="order", resolved="order_id"),
    ] = None
    product_key: Annotated[
        c.Text,
        c.key("Product", "商品", "The product it is about", ref="product", resolved="product_id"),
    ] = None
    status: Annotated[
        c.Text,
        c.word("Status", "状态", "Where it stands", "open", "in_progress", "on_hold", "closed"),
    ] = None
    priority: Annotated[
        c.Text,
        c.word("Priority", "优先级", "How urgent it is", "low", "normal", "high", "urgent"),
    ] = None
    channel: Annotated[
        c.Text, c.text("Channel", "渠道", "How it came in, as the source names it")
    ] = None
    owner_key: Annotated[
        c.Text, c.text("Owner", "负责人", "Employee in charge, as the source keys it")
    ] = None
    opened_at: Annotated[c.Moment, c.instant("Opened at", "提交时间", "When it came in")] = None
    due_at: Annotated[c.Moment, c.instant("Due at", "截止时间", "When it is to be solved")] = None
    first_response_at: Annotated[
        c.Moment, c.instant("First response", "首次响应时间", "When it was answered first")
    ] = None
    closed_at: Annotated[c.Moment, c.instant("Closed at", "关闭时间", "When it was solved")] = None
    parent_ticket_key: Annotated[
        c.Text,
        c.key(
            "Parent ticket",
            "上级工单",
            "The ticket it belongs to",
            ref="ticket",
            resolved="parent_ticket_id",
        ),
    ] = None
    tags: Annotated[c.Json, c.json("Tags", "标签", "Labels given in the source")] = None
    organization_key: Annotated[c.Text, c.organization("组织", "Own legal entity")] = None
    note: Annotated[c.Text, c.note("Note", "备注", "Free text")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
