-- grain: one row an order whose lines all say a sum
-- kept: order order_id
-- `off` is what the closest sum of its lines differs from the total by.
-- Systems say totals with or without shipping, fees, tax and discounts of the whole order: where one of
-- these ways leads to the total, it is right. Orders with a line that says no sum are not judged.
with judged as (
    select o.*
    from main.orders as o
    inner join (
        select distinct connection, stream from recon.roles where role in ('shop', 'oms', 'erp')
    ) as r on o.connection = r.connection and o.stream = r.stream
    where o.total is not null and o.is_test is not true
        and coalesce(o.status, 'confirmed') not in ('cancelled', 'draft')
),

lines as (
    select
        order_id,
        count(*) as many,
        bool_or(coalesce(gross, net) is null) as is_unknown,
        sum(if(kind = 'discount', -1, 1) * coalesce(gross, net + coalesce(tax, 0))) as gross,
        sum(if(kind = 'discount', -1, 1) * coalesce(net, gross)) as net,
        bool_or(kind = 'shipping') as has_shipping,
        bool_or(kind = 'discount') as has_discount
    from main.order_lines
    group by order_id
),

ways as (
    select
        j.*, l.many, l.gross, l.net,
        if(l.has_shipping, 0, coalesce(j.shipping_total, 0)) + coalesce(j.fee_total, 0) as extra,
        if(l.has_shipping, 0, coalesce(j.shipping_total, 0)) as shipping,
        if(l.has_discount, 0, coalesce(j.discount_total, 0)) as discount,
        coalesce(j.tax_total, 0) as tax
    from judged as j
    inner join lines as l on j.order_id = l.order_id
    where not l.is_unknown
),

closest as (
    select
        *,
        case when gross = total then {'off': 0::decimal(38, 4), 'sum': gross} else list_sort(list_transform(
            [
                gross, gross + extra, gross + shipping, gross - discount, gross - discount + extra,
                gross - discount + shipping, gross + tax, gross + extra + tax, gross - discount + tax,
                gross - discount + extra + tax, net, net + extra, net + tax, net + extra + tax,
                net - discount + tax, net - discount + extra + tax
            ],
            lambda x: {'off': least(abs(x - total), abs(x - coalesce(current_total, total))), 'sum': x}
        ))[1] end as best
    from ways
)

select order_id, connection, stream, many, best.off as off, best.sum as sum
from closest
