"""Business that may come: what a sales team works on before there is an order."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Opportunity(Entity):
    """A chance of a sale, with its amount and how likely it is."""

    entity: ClassVar[str] = "opportunity"
    table: ClassVar[str] = "opportunities"
    en: ClassVar[str] = "Opportunity"
    zh: ClassVar[str] = "商机"
    about: ClassVar[str] = "a chance of a sale that a sales team works on"

    number: Annotated[
        c.Text, c.text("Opportunity number", "商机编号", "Number of the document", natural=True)
    ] = None
    name: Annotated[c.Text, c.note("Subject", "商机名称", "What it is about, as typed")] = None
    customer_key: Annotated[
        c.Text,
        c.key("Customer", "客户", "Who may buy", ref="party", resolved="party_id"),
    ] = None
    status: Annotated[
        c.Text, c.word("Status", "状态", "How it stands or ended", "open", "won", "lost")
    ] = None
    stage: Annotated[c.Text, c.text("Stage", "阶段", "Step of the sales process, as named")] = None
    amount: Annotated[c.Number, c.money("Amount", "预计金额", "What it may bring")] = None
    currency: Annotated[c.Text, c.currency()] = None
    probability: Annotated[c.Number, c.rate("Probability", "赢单概率", "0.3 is 30 %")] = None
    start_date: Annotated[c.Day, c.date("Start", "开始日期", "When work on it began")] = None
    expected_close: Annotated[
        c.Day, c.date("Expected close", "预计成交日期", "When it may be decided")
    ] = None
    closed_date: Annotated[c.Day, c.date("Closed", "结束日期", "When it was decided")] = None
    lost_reason: Annotated[
        c.Text, c.note("Lost because", "输单原因", "Why it was lost, in words")
    ] = None
    source_name: Annotated[c.Text, c.text("Source", "来源", "Where it came from, as named")] = None
    owner_key: Annotated[
        c.Text, c.text("Owner", "负责人", "Employee in charge, as the source keys it")
    ] = None
    organization_key: Annotated[c.Text, c.organization("组织", "Own legal entity")] = None
    note: Annotated[c.Text, c.note("Note", "备注", "Free text")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
