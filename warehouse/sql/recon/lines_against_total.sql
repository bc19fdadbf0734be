-- grain: one row an order whose lines do not add up to its total
-- kind: amount
-- severity: warning
-- needs: shop|oms|erp order, shop|oms|erp order_line
-- transit: 0d
-- en: The lines of an order do not add up to its own total.
-- zh: 订单明细合计与订单总额不一致。
-- do-en: Look at the order in its own system: a line is missing, or its mapping reads the wrong field.
-- do-zh: 在源系统中核对订单：可能缺少明细行，或字段映射取错。
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
),

-- Where hardly any order adds up its system counts in a way of its own.
otherwise as (
    select connection, stream
    from closest
    group by connection, stream
    having count(*) >= 20
        and count(*) filter (where best.off <= getvariable('recon_tolerance') * many) * 2 < count(*)
)

select
    connection || '/' || stream || '/' || source_key as subject,
    order_id,
    party_id,
    connection as left_connection,
    source_key as left_key,
    number as left_number,
    connection as right_connection,
    source_key as right_key,
    currency,
    total as expected,
    best.sum as actual,
    coalesce(source_updated_at, placed_at) as happened_at
from closest
where (connection, stream) not in (select (connection, stream) from otherwise)
    and best.off > getvariable('recon_tolerance') * greatest(many, 1)
