-- grain: one row an order and a document of another system that carries it out together with others
-- key: order_id, connection, stream, source_key
-- among: order
-- en: Orders that were merged: one document of the OMS or ERP stands for several of them.
-- zh: 合并处理的订单：OMS 或 ERP 的一张单据对应多个订单。
-- of shipment: order_id
-- column: connection | Connection | 连接 | Of the document that stands for several orders
-- column: stream | Stream | 数据流 | Of that document
-- column: source_key | Source key | 源主键 | Of that document
-- column: share | Share | 占比 | Of the document's lines that are for the order
with several as (
    select connection, stream, source_key
    from main.order_documents
    group by connection, stream, source_key
    having count(*) > 1
)

select d.order_id, d.connection, d.stream, d.source_key, d.share
from main.order_documents as d
inner join several as s
    on d.connection = s.connection and d.stream = s.stream and d.source_key = s.source_key
