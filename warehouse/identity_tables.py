"""Tables of `identity`: what the matchers found, and what hangs together with what."""

from __future__ import annotations

from warehouse.ddl import CONNECTION, Table, fields

_TEXT = "VARCHAR"
_COUNT = "BIGINT"


IDENTITY_LINKS = Table(
    "identity",
    "links",
    "What the matchers found: members of groups; a row that is not here is a group of its own",
    "匹配结果",
    fields(
        ("entity", _TEXT, "Entity", "实体"),
        ("id", "UUID", "Id that the record founds", "记录编号"),
        ("golden_id", "UUID", "Id that the founder of its group founds", "统一编号"),
        ("method", _TEXT, "founder, deterministic, probabilistic, manual", "方法"),
        ("score", "DOUBLE", "Certainty, 1 is sure", "置信度"),
        ("rule", _TEXT, "Rule that joined it", "规则"),
        ("evidence", _TEXT, "What they have in common", "依据"),
    ),
)

IDENTITY_DOCUMENTS = Table(
    "identity",
    "order_documents",
    "Which records carry out which placed orders",
    "订单单据匹配",
    fields(
        ("order_id", "UUID", "Id that the placed record founds", "下单记录编号"),
        ("id", "UUID", "Id that the document founds", "单据记录编号"),
        ("role", _TEXT, "placed, processed, fulfilled, billed", "角色"),
        ("share", "DECIMAL(9,6)", "Share of the order's lines, 1 is all", "占比"),
    ),
)

PRODUCT_ALIASES = Table(
    "identity",
    "product_aliases",
    "By which SKU the others know an item of a connection",
    "商品编码对照",
    (
        CONNECTION,
        *fields(
            ("sku", _TEXT, "SKU of the connection", "连接内编码"),
            ("alias", _TEXT, "SKU that the others know", "通用编码"),
        ),
    ),
)

TIES = Table(
    "identity",
    "ties",
    "What orders, money, parcels, invoices, returns and refunds can be met by",
    "单据关联",
    fields(
        ("thing", "UBIGINT", "Hash of entity and golden id", "对象"),
        ("node", "UBIGINT", "Hash of an order, a number or a document", "节点"),
        ("leads", "BOOLEAN", "Of an order: leads from one thing to another", "属于订单"),
        ("run", _COUNT, "Unification that wrote it", "统一批次"),
    ),
)

TOUCHED = Table(
    "identity",
    "touched",
    "Things that hang together with what each unification changed",
    "受影响对象",
    fields(
        ("run", _COUNT, "Unification", "统一批次"),
        ("thing", "UBIGINT", "Hash of entity and golden id; null: all there are", "对象"),
    ),
)

IDENTITY: tuple[Table, ...] = (
    IDENTITY_LINKS, IDENTITY_DOCUMENTS, PRODUCT_ALIASES, TIES, TOUCHED,
)  # fmt: skip
