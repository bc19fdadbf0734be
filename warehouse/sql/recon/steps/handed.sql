-- grain: one row a document of an OMS or ERP and an order that it carries out
-- among: order
-- Cancelled documents, returns, and those whose lines and money live on in others are left out.
select
    coalesce(g.group_id, d.order_id) as group_id,
    d.order_id,
    d.connection,
    d.stream,
    d.source_key,
    d.share,
    s.number,
    s.status,
    s.currency,
    s.total,
    coalesce(s.source_updated_at, s.source_created_at, s.placed_at, timezone(getvariable('recon_zone'), s.order_date::timestamp))
        as changed_at,
    g.group_id is not null as is_merged
from main.order_documents as d
inner join (
    select distinct connection, stream from recon.roles where role in ('oms', 'erp')
) as r on d.connection = r.connection and d.stream = r.stream
inner join source.orders as s
    on d.connection = s.connection and d.stream = s.stream and d.source_key = s.source_key
left join step.merged_groups as g on d.order_id = g.order_id and d.connection = g.connection
where d.role <> 'placed' and s.is_deleted is not true
    and s.status is distinct from 'cancelled'
    and not (s.total is null and s.status is not distinct from 'closed')
    and coalesce(s.kind, 'sale') not in ('return', 'exchange')
