"""What people did with a customer: calls, visits, meetings, notes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class Activity(Entity):
    """One thing that somebody did, or is to do, with or for a party."""

    entity: ClassVar[str] = "activity"
    table: ClassVar[str] = "activities"
    en: ClassVar[str] = "Activity"
    zh: ClassVar[str] = "跟进记录"
    about: ClassVar[str] = "a call, visit, meeting, message, task or note about a party"

    number: Annotated[c.Text, c.text("Number", "编号", "Number of the record", natural=True)] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "类型",
            "What was done",
            "call",
            "email",
            "meeting",
            "task",
            "note",
            "visit",
            "wechat",
        ),
    ] = None
    subject: Annotated[c.Text, c.note("Subject", "主题", "What it was about, as typed")] = None
    body: Annotated[c.Text, c.note("Text", "内容", "What was written down")] = None
    status: Annotated[
        c.Text, c.word("Status", "状态", "How it stands", "planned", "done", "cancelled")
    ] = None
    started_at: Annotated[
        c.Moment, c.instant("Started at", "开始时间", "When it began, or was written down")
    ] = None
    due_at: Annotated[c.Moment, c.instant("Due at", "截止时间", "When it is to be done")] = None
    party_key: Annotated[
        c.Text, c.key("Party", "客户", "With whom", ref="party", resolved="party_id")
    ] = None
    opportunity_key: Annotated[
        c.Text,
        c.key(
            "Opportunity",
            "商机",
            "The chance of a sale it was about",
            ref="opportunity",
            resolved="opportunity_id",
        ),
    ] = None
    lead_key: Annotated[
        c.Text, c.key("Lead", "线索", "The lead it was about", ref="lead", resolved="lead_id")
    ] = None
    owner_key: Annotated[
        c.Text, c.text("Owner", "负责人", "Employee who did it, as the source keys it")
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None
