"""Tables that come from no entity: what the loads did, and how records and things are linked."""

from __future__ import annotations

from warehouse.ddl import CONNECTION, RUN, SOURCE_KEY, STREAM, Field, Table, fields

_TEXT = "VARCHAR"
_WHEN = "TIMESTAMPTZ"
_COUNT = "BIGINT"


BATCHES = Table(
    "ops",
    "batches",
    "Landed batches that were applied, one row a batch",
    "已装载批次",
    (
        Field("load_id", _COUNT, "Load", "装载号", "One transaction; grows over the whole store"),
        CONNECTION,
        STREAM,
        *fields(
            ("batch", _COUNT, "Sequence of the batch in its stream", "批次序号"),
            ("content", _TEXT, "records, deletions or keys", "内容"),
            ("mode", _TEXT, "How it was read: changed, full, sweep, feed, push", "读取方式"),
            ("rows", _COUNT, "Records in the batch", "记录数"),
            ("loaded", _COUNT, "Rows that passed the rules", "通过行数"),
            ("inserted", _COUNT, "Rows new in the store", "新增行数"),
            ("updated", _COUNT, "Rows replaced", "更新行数"),
            ("unchanged", _COUNT, "Rows equal to what was there", "未变行数"),
            ("quarantined", _COUNT, "Records put aside as broken", "隔离行数"),
            ("deleted", _COUNT, "Rows marked as deleted", "删除行数"),
            ("refused", _COUNT, "Rows older than what is there", "拒收旧版本行数"),
            ("mapping", _TEXT, "Version of the mapping", "映射版本"),
            ("sha256", _TEXT, "Of the landed file", "文件摘要"),
            ("read", _TEXT, "The read that landed it", "读取编号"),
            ("bookmark", "JSON", "Where the next read goes on", "增量游标"),
            ("started_at", _WHEN, "When the read of the batch began", "读取开始"),
            ("ended_at", _WHEN, "When it was landed", "落地时间"),
            ("loaded_at", _WHEN, "When it was applied", "装载时间"),
        ),
    ),
)

QUARANTINE = Table(
    "ops",
    "quarantine",
    "Records that break a rule; the record itself is in the landing",
    "隔离区",
    (
        Field("id", _TEXT, "Id", "编号", "connection/stream/batch/position/entity"),
        CONNECTION,
        STREAM,
        *fields(
            ("batch", _COUNT, "Sequence of the batch in its stream", "批次序号"),
            ("position", _COUNT, "Record in its batch, from 1", "行位置"),
            ("entity", _TEXT, "What it would have become", "实体"),
        ),
        SOURCE_KEY,
        *fields(
            ("field", _TEXT, "First field that is broken", "字段"),
            ("rule", _TEXT, "Rule that it breaks", "规则"),
            ("reason", _TEXT, "Why, in words", "原因"),
            ("mapping", _TEXT, "Version of the mapping", "映射版本"),
            ("first_at", _WHEN, "Put aside first", "首次隔离"),
            ("last_at", _WHEN, "Seen last", "最近一次"),
            ("status", _TEXT, "open, replayed, discarded, superseded", "状态"),
            ("load_id", _COUNT, "Load that wrote the row", "装载号"),
        ),
    ),
)

REFS = Table(
    "ops",
    "refs",
    "How the references of a stream are resolved; replaced at each load",
    "引用解析规则",
    (
        CONNECTION,
        STREAM,
        *fields(
            ("entity", _TEXT, "Entity that refers", "引用方实体"),
            ("field", _TEXT, "Field that refers", "引用字段"),
            ("target_entity", _TEXT, "Entity referred to", "被引用实体"),
            ("target_stream", _TEXT, "Stream it is looked for in; null: all", "被引用数据流"),
            ("by_field", _TEXT, "Field compared; null: the source key", "比较字段"),
        ),
    ),
)

MADE = Table(
    "ops",
    "made",
    "Which record made which row, where a mapping makes several rows of a record",
    "记录产生的行",
    (
        CONNECTION,
        STREAM,
        *fields(
            ("target", _TEXT, "Name under `also:`; empty for the record's own row", "映射目标"),
            ("entity", _TEXT, "Entity of the row", "实体"),
            ("record_key", _TEXT, "Key of the record", "记录主键"),
        ),
        SOURCE_KEY,
        *fields(("load_id", _COUNT, "Load that wrote the row", "装载号")),
    ),
)

META = Table(
    "ops",
    "meta",
    "Facts about this file",
    "文件信息",
    fields(("name", _TEXT, "Name", "名称"), ("value", _TEXT, "Value", "值")),
)

RUNS = Table(
    "ops",
    "runs",
    "Runs of streams, newest first at the top when ordered by ended_at",
    "运行记录",
    (
        Field("run", _TEXT, "Run", "运行编号"),
        CONNECTION,
        STREAM,
        *fields(
            ("status", _TEXT, "ok, partial, failed", "状态"),
            ("started_at", _WHEN, "Began", "开始时间"),
            ("ended_at", _WHEN, "Ended", "结束时间"),
            ("read", _COUNT, "Records read", "读取"),
            ("landed", _COUNT, "Records landed", "落地"),
            ("unchanged", _COUNT, "Equal to the last landed", "未变"),
            ("inserted", _COUNT, "Rows inserted", "新增"),
            ("updated", _COUNT, "Rows updated", "更新"),
            ("quarantined", _COUNT, "Records quarantined", "隔离"),
            ("deleted", _COUNT, "Rows marked deleted", "删除"),
            ("message", _TEXT, "What happened and what to do", "消息"),
        ),
    ),
)

FRESHNESS = Table(
    "ops",
    "freshness",
    "How fresh each stream is at the moment of publishing",
    "新鲜度",
    (
        CONNECTION,
        STREAM,
        *fields(
            ("last_success_at", _WHEN, "Last good end", "最近成功"),
            ("fresh_as_of", _WHEN, "All that the source had then is here", "数据截至"),
            ("promise_seconds", _COUNT, "Freshness owed, in seconds", "承诺秒数"),
            ("lag_seconds", _COUNT, "Age at publishing, in seconds", "滞后秒数"),
            ("is_kept", "BOOLEAN", "The promise is kept", "是否达标"),
        ),
    ),
)

COMPLETENESS = Table(
    "ops",
    "completeness",
    "Counts and sums at the source against the store, of the newest check of each stream",
    "完整性核对",
    (
        CONNECTION,
        STREAM,
        *fields(
            ("part", _TEXT, "Part of the stream (file, bill); null: a stretch of time", "部分"),
            ("window_from", _WHEN, "Stamps from here on; null: open", "窗口起"),
            ("window_to", _WHEN, "Stamps before this; null: open", "窗口止"),
            ("source_count", _COUNT, "Records that the source counts", "源记录数"),
            (
                "store_count", _COUNT,
                "Records accounted for: rows, quarantined, left out by the mapping", "库内记录数",
            ),
            ("set_aside", _COUNT, "Of those, in quarantine or discarded", "其中隔离"),
            ("left_out", _COUNT, "Of those, that the mapping makes no row of", "其中映射不取"),
            ("summed", _TEXT, "Column that is summed; null: nothing is", "求和字段"),
            ("source_sum", "DECIMAL(38,4)", "Sum at the source", "源合计"),
            ("store_sum", "DECIMAL(38,4)", "Sum over the rows of the store", "库内合计"),
            (
                "status", _TEXT,
                "equal, healed, missing, surplus, differs, cannot_count, not_compared", "状态",
            ),
            ("how", _TEXT, "How the source counted, or why it cannot", "计数方式"),
            ("checked_at", _WHEN, "When it was compared", "核对时间"),
            ("message", _TEXT, "What was found, what was done, what to do", "说明"),
        ),
    ),
)  # fmt: skip

CHANGES = Table(
    "ops",
    "changes",
    "Golden rows rewritten by each unification, until they are projected",
    "统一层变更日志",
    fields(
        ("run", _COUNT, "Unification", "统一批次"),
        ("entity", _TEXT, "Entity", "实体"),
        ("id", "UUID", "Golden id; null: every row of the entity", "统一编号"),
    ),
)

UNIFICATIONS = Table(
    "ops",
    "unifications",
    "Unifications that wrote golden rows; what was believed since then",
    "统一运行记录",
    fields(
        ("run", _COUNT, "Unification", "统一批次"),
        ("unified_at", _WHEN, "When it ran", "统一时间"),
        ("load_id", _COUNT, "Newest load that it saw", "所见最新装载号"),
    ),
)

DICTIONARY = Table(
    "ops",
    "dictionary",
    "What every table and column means",
    "数据字典",
    fields(
        ("schema_name", _TEXT, "Schema", "模式"),
        ("table_name", _TEXT, "Table; null for the schema itself", "表"),
        ("column_name", _TEXT, "Column; null for the table itself", "列"),
        ("sql_type", _TEXT, "Type", "类型"),
        ("english", _TEXT, "English label", "英文"),
        ("chinese", _TEXT, "Chinese label", "中文"),
        ("about", _TEXT, "What it means", "说明"),
        ("privacy", _TEXT, "What kind of personal data it holds", "隐私类型"),
    ),
)

XREF = Table(
    "unified",
    "xref",
    "Which source record is which thing",
    "主键映射",
    (
        Field("entity", _TEXT, "Entity", "实体"),
        CONNECTION,
        STREAM,
        SOURCE_KEY,
        *fields(
            ("golden_id", "UUID", "Id of the thing", "统一编号"),
            ("own_id", "UUID", "Id that the record founds, or would", "记录编号"),
            ("is_lead", "BOOLEAN", "It says what the thing is: the order as placed", "主单据"),
            ("method", _TEXT, "founder, deterministic, probabilistic, manual", "方法"),
            ("score", "DOUBLE", "Certainty, 1 is sure", "置信度"),
            ("rule", _TEXT, "Rule that joined it", "规则"),
            ("evidence", _TEXT, "What they have in common", "依据"),
            ("valid_from", _WHEN, "Since when", "生效时间"),
        ),
    ),
)

XREF_HISTORY = Table(
    "history",
    "xref",
    "Which source record was which thing before",
    "主键映射（历史版本）",
    (
        *(f for f in XREF.fields),
        *fields(("valid_to", _WHEN, "Until when", "失效时间")),
        RUN,
    ),
)

FORWARDINGS = Table(
    "unified",
    "forwardings",
    "Ids that records founded and that lead to another thing now",
    "编号转向",
    fields(
        ("entity", _TEXT, "Entity", "实体"),
        ("old_id", "UUID", "Id that a record founded, or would have", "原编号"),
        ("golden_id", "UUID", "Id of the thing that it is part of", "统一编号"),
    ),
)

SUGGESTIONS = Table(
    "ops",
    "suggestions",
    "Pairs of records that may be one thing: a person decides",
    "疑似重复",
    fields(
        ("entity", _TEXT, "Entity", "实体"),
        ("a_id", "UUID", "Id that the one record founds", "记录甲编号"),
        ("b_id", "UUID", "Id that the other founds", "记录乙编号"),
        ("score", "DOUBLE", "Certainty, 1 is sure", "置信度"),
        ("rule", _TEXT, "Rule that found the pair", "规则"),
        ("evidence", _TEXT, "What they have in common", "依据"),
    ),
)

ORDER_DOCUMENTS = Table(
    "unified",
    "order_documents",
    "Documents of all systems that carry an order out",
    "订单单据",
    (
        Field("order_id", "UUID", "Order id", "订单统一编号", "Golden id of the order"),
        CONNECTION,
        STREAM,
        SOURCE_KEY,
        *fields(
            ("role", _TEXT, "placed, processed, fulfilled, billed", "角色"),
            ("share", "DECIMAL(9,6)", "Share of the order's lines, 1 is all", "占比"),
        ),
    ),
)

PAYMENT_EVIDENCE = Table(
    "unified",
    "payment_evidence",
    "Records of all systems that speak of one movement of money",
    "收付款凭据",
    (
        Field("payment_id", "UUID", "Payment id", "收付款统一编号", "Golden id of the payment"),
        CONNECTION,
        STREAM,
        SOURCE_KEY,
    ),
)

LINKS: tuple[Table, ...] = (XREF, FORWARDINGS, ORDER_DOCUMENTS, PAYMENT_EVIDENCE)
STORE_OPS: tuple[Table, ...] = (
    BATCHES, QUARANTINE, REFS, MADE, META, CHANGES, UNIFICATIONS, SUGGESTIONS, COMPLETENESS,
)  # fmt: skip
PUBLIC_OPS: tuple[Table, ...] = (
    BATCHES, QUARANTINE, REFS, META, RUNS, FRESHNESS, UNIFICATIONS, DICTIONARY, SUGGESTIONS,
    COMPLETENESS,
)  # fmt: skip
