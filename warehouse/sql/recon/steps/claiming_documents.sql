-- grain: one row a document of an ERP or OMS that claims a number of a shop
-- among: order
-- One that leads a thing of its own although it claims another; or names several in one field.
select
    s.connection, s.stream, s.source_key, s.number, s.currency, s.total,
    coalesce(s.placed_at, timezone(getvariable('recon_zone'), s.order_date::timestamp), s.source_created_at) as made_at,
    trim(s.platform_order_no) as said,
    o.order_id, o.party_id, x.golden_id as of_order
from source.orders as s
inner join (select distinct connection, stream from recon.roles where role in ('erp', 'oms')) as r
    on s.connection = r.connection and s.stream = r.stream
left join main.orders as o
    on s.connection = o.connection and s.stream = o.stream and s.source_key = o.source_key
left join main.xref as x
    on x.entity = 'order' and s.connection = x.connection and s.stream = x.stream
    and s.source_key = x.source_key
where s.is_deleted is not true and s.platform_order_no is not null
    and s.status is distinct from 'cancelled'
    and coalesce(s.kind, 'sale') not in ('return', 'exchange')
    and (o.order_id is not null or regexp_matches(s.platform_order_no, '[,;，；、\s]'))
