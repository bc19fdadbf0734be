"""The CRM: the story as 纷享销客 writes it.

Salesmen typed the customers in: full names and short ones, some twice, some with the
统一社会信用代码 in a field of this tenant's own (uscc__c). Times are milliseconds.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from connectors.base import utc_now
from connectors.fxiaoke.sample import oid, record
from connectors.fxiaoke.simulator import FxiaokeSimulator
from connectors.fxiaoke.simulator_door import Identity
from pipelines.sample.facts import Customer, Entry
from pipelines.sample.key import Bad
from pipelines.sample.story import NOW, Story

CONNECTION, PORT = "crm", 18804
APP = "FSAID_sample"
SECRETS = {"CRM_APP_SECRET": "sample-crm-secret", "CRM_CODE": "sample-permanent-code"}
STREAMS = ("customers", "leads", "opportunities", "tickets")
_LEADS = {
    "new": "un_processed",
    "working": "processed",
    "converted": "transformed",
    "lost": "closed",
}
_DEALS = {"talking": ("1", "需求确认", "30"), "offered": ("1", "方案报价", "60"),
          "won": ("2", "赢单", "100"), "lost": ("3", "输单", "0")}  # fmt: skip
_TICKETS = {"open": "待处理", "working": "处理中", "done": "已完成"}


def build(story: Story) -> FxiaokeSimulator:
    """Return the tenant with all that it holds; names its wrong records in the key."""
    who = Identity(APP, SECRETS["CRM_APP_SECRET"], SECRETS["CRM_CODE"])
    crm = FxiaokeSimulator(who, now=utc_now)
    crm.per_path = 10**9  # it is on this machine
    crm.door.given = time.time_ns() // 1000  # started anew, it gives out other tokens than before
    crm.described["AccountObj"]["uscc__c"] = {
        "api_name": "uscc__c", "type": "text", "label": "统一社会信用代码", "is_active": True,
    }  # fmt: skip
    for one in story.customers:
        for entry in (e for e in one.entries if e.system == CONNECTION):
            crm.put("AccountObj", _account(one, entry), at=one.since + timedelta(days=2))
    for lead in story.leads:
        made = _record(
            "LeadsObj", lead.number, lead.at, name=lead.contact, company=lead.company,
            mobile=lead.phone, email=lead.email, source=lead.source, biz_status=_LEADS[lead.stage],
        )  # fmt: skip
        crm.put("LeadsObj", made, at=lead.at)
    for deal in story.deals:
        word, stage, chance = _DEALS[deal.stage]
        made = _record(
            "NewOpportunityObj", deal.number, deal.at, name=deal.title, sales_status=word,
            account_id=account(deal.customer), amount=f"{deal.amount:.2f}", sales_stage=stage,
            probability=chance, close_date=_ms(deal.closes),
        )  # fmt: skip
        crm.put("NewOpportunityObj", made, at=deal.at)
    for ticket in story.tickets:
        made = _record(
            "CasesObj", ticket.number, ticket.at, name=f"GD{ticket.number:05d}",
            account_id=account(ticket.customer), title__c=ticket.subject,
            description=f"订单 {ticket.order}：{ticket.subject}", priority="中",
            case_status=_TICKETS[ticket.stage],
        )  # fmt: skip
        crm.put("CasesObj", made, at=ticket.at)
    _wrong(crm, story)
    return crm


def account(one: Customer) -> str:
    """Return the id of a customer, of the first where it was typed in twice."""
    return oid("AccountObj", one.number * 10)


def _account(one: Customer, entry: Entry) -> dict[str, Any]:
    number = int(entry.key)
    more = {"email": entry.email} if entry.email else {}  # empty fields are absent
    if entry.code:
        more["uscc__c"] = entry.code
    return _record(
        "AccountObj", number, one.since, name=entry.name, account_no=f"KH{number:06d}",
        account_level={"普通": "C", "银牌": "B", "金牌": "A"}[one.level], tel=entry.phone,
        address="".join(one.place[:3]) + one.street, **more,
    )  # fmt: skip


def _record(api: str, number: int, at: datetime, **members: Any) -> dict[str, Any]:
    return record(api, number, create_time=_ms(at), **members)


def _wrong(crm: FxiaokeSimulator, story: Story) -> None:
    """Put customers with a wrong code, a deal whose sum is words, states of the tenant's own."""
    at = NOW - timedelta(days=60)
    for number, code in ((9_001, "91440300MA5D8XPT0A"), (9_002, "91440300MA5D8")):
        made = _record("AccountObj", number, at, name=f"待核实公司{number}", uscc__c=code)
        crm.put("AccountObj", made, at=at)
        _bad(story, "customers", made, "party", "uscc", "18 signs with a right check sign")
    made = _record("NewOpportunityObj", 9_001, at, name="年度框架", sales_status="1",
                   amount="约50万")  # fmt: skip
    crm.put("NewOpportunityObj", made, at=at)
    _bad(story, "opportunities", made, "opportunity", "amount", "is null although")
    for number, word in ((9_001, "已派单"), (9_002, "已派单")):
        made = _record("CasesObj", number, at, name=f"GD{number}", title__c="派单测试",
                       case_status=word, priority="中")  # fmt: skip
        crm.put("CasesObj", made, at=at)
        _bad(story, "tickets", made, "ticket", "status", word, kept=True)


def _bad(
    story: Story, stream: str, made: dict[str, Any], entity: str, field: str, reason: str, *,
    kept: bool = False,
) -> None:  # fmt: skip
    story.key.bad.append(Bad(CONNECTION, stream, made["_id"], entity, field, reason, kept))


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
