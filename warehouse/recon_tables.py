"""Tables of `recon`: what each system is to the company, the rules, and what they found."""

from __future__ import annotations

from warehouse.ddl import CONNECTION, STREAM, Table, fields

_TEXT = "VARCHAR"
_WHEN = "TIMESTAMPTZ"
_NUMBER = "DECIMAL(28,6)"
_COUNT = "BIGINT"


ROLES = Table(
    "recon",
    "roles",
    "What each stream is to the company; rules know systems by their roles",
    "各数据流在公司中的角色",
    (
        CONNECTION,
        STREAM,
        *fields(
            ("role", _TEXT, "Role", "角色",
             "shop, erp, crm, oms, wms, carrier, gateway, bank, office"),
        ),
    ),
)  # fmt: skip

FOUND = fields(
    ("rule", _TEXT, "Rule", "规则", "Its row in recon.rules"),
    ("subject", _TEXT, "Subject", "对象", "What makes the break the same thing tomorrow"),
    ("order_id", "UUID", "Order id", "订单统一编号", "Golden id of the order that it is about"),
    ("party_id", "UUID", "Party id", "往来方统一编号", "Golden id of the customer"),
    ("product_id", "UUID", "Product id", "商品统一编号", "Golden id of the product"),
    ("left_connection", _TEXT, "Connection, left", "左侧连接", "The side that expects"),
    ("left_key", _TEXT, "Source key, left", "左侧源主键"),
    ("left_number", _TEXT, "Number, left", "左侧单号"),
    (
        "right_connection",
        _TEXT,
        "Connection, right",
        "右侧连接",
        "The side that is held against it",
    ),
    ("right_key", _TEXT, "Source key, right", "右侧源主键"),
    ("right_number", _TEXT, "Number, right", "右侧单号"),
    ("sku", _TEXT, "SKU", "商品编码"),
    ("currency", _TEXT, "Currency", "币种", "Of expected and actual, where they are money"),
    ("expected", _NUMBER, "Expected", "应有值"),
    ("actual", _NUMBER, "Actual", "实际值"),
    ("expected_said", _TEXT, "Expected, in words", "应有状态"),
    ("actual_said", _TEXT, "Actual, in words", "实际状态"),
    ("happened_at", _WHEN, "Happened at", "发生时间", "What the transit window counts from"),
)
"""What a rule may tell of a break; columns that it lacks are null. The first is not the rule's."""

BREAKS = Table(
    "recon",
    "breaks",
    "What does not fit between systems, one row a break; it closes itself when it is gone",
    "系统间差异，每行一处；消失后自动关闭",
    (
        *fields(
            ("break_id", "UUID", "Break id", "差异编号", "Of rule and subject, never changes"),
            ("kind", _TEXT, "Kind", "类型",
             "missing_left, missing_right, amount, status, quantity, date, duplicate, orphan"),
            ("severity", _TEXT, "Severity", "严重程度", "error, warning, info"),
        ),
        *FOUND,
        *fields(
            ("difference", _NUMBER, "Difference", "差额", "Actual - expected"),
            ("tolerance", _NUMBER, "Tolerance", "容差"),
            ("timing_until", _WHEN, "Under way until", "在途截止", "It is open from then on"),
            ("first_seen", _WHEN, "First seen", "首次发现"),
            ("last_seen", _WHEN, "Last seen", "最近发现", "The last reconciliation that saw it"),
            ("occurrences", _COUNT, "Occurrences", "出现次数", "How often it appeared"),
            ("status", _TEXT, "Status", "状态",
             "open, timing (under way, no break yet), explained (by a person), resolved (gone)"),
            ("resolved_at", _WHEN, "Resolved at", "消除时间"),
            ("explained_by", _TEXT, "Explained by", "解释人"),
            ("explanation", _TEXT, "Explanation", "解释"),
            ("decision", _COUNT, "Decision", "决定编号", "In the log of decisions"),
        ),
    ),
)  # fmt: skip

RULES = Table(
    "recon",
    "rules",
    "The rules of reconciliation with their settings, and what each has found",
    "对账规则、设置与结果",
    fields(
        ("rule", _TEXT, "Rule", "规则"),
        ("kind", _TEXT, "Kind", "类型"),
        ("severity", _TEXT, "Severity", "严重程度", "As the company's file says, else the rule's"),
        ("english", _TEXT, "What it finds", "英文说明"),
        ("chinese", _TEXT, "What it finds, in Chinese", "中文说明"),
        ("do_english", _TEXT, "What to do", "处理办法（英文）"),
        ("do_chinese", _TEXT, "What to do, in Chinese", "处理办法（中文）"),
        ("needs", _TEXT, "Needs", "前提", "Roles and records without which it does not apply"),
        ("tolerance", _NUMBER, "Tolerance", "容差"),
        ("transit_seconds", _COUNT, "Transit window, in seconds", "在途窗口（秒）"),
        ("since", "DATE", "Since", "起始日期", "Nothing that happened before is looked at"),
        ("is_on", "BOOLEAN", "Switched on", "已启用"),
        ("applies", "BOOLEAN", "Applies", "适用", "Both of its sides are there"),
        ("ran_at", _WHEN, "Ran at", "最近运行"),
        (
            "failed",
            _TEXT,
            "Failed",
            "运行失败",
            "The kind of error for which it could not run; its breaks stay as they were",
        ),
        ("open_count", _COUNT, "Open", "未解决数"),
        ("timing_count", _COUNT, "Under way", "在途数"),
        ("explained_count", _COUNT, "Explained", "已解释数"),
    ),
)

LEFT_OUT = Table(
    "recon",
    "left_out",
    "What the rules do not compare, and why: of it no break means nothing",
    "对账规则未比较的范围及原因：其中没有差异不代表一致",
    fields(
        ("rule", _TEXT, "Rule", "规则", "Its row in recon.rules"),
        ("reason", _TEXT, "Reason", "原因代码",
         "no_side, no_records, or the name of its file in warehouse/sql/recon/left_out"),
        ("english", _TEXT, "Why", "英文说明"),
        ("chinese", _TEXT, "Why, in Chinese", "中文说明"),
        ("connection", _TEXT, "Connection", "连接", "Null where no system has that side"),
        ("what", _TEXT, "What", "范围", "The way of paying, or the side that has no records"),
        ("looked_at", _COUNT, "Looked at", "涉及数", "Orders of it"),
        ("found", _COUNT, "Found", "匹配数", "Those of which the other side knows"),
    ),
)  # fmt: skip

STORED: tuple[Table, ...] = (ROLES, RULES, BREAKS, LEFT_OUT)
"""All of them are kept in the store and published."""
