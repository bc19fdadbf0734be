-- grain: one row a channel of which at least half of the orders sent since its first invoice have one
-- `since` is when the day of that invoice began, where the company is.
with begun as (
    select
        connection, channel, shop_name,
        timezone(getvariable('recon_zone'), min(first_invoiced_on)::timestamp) as since
    from step.invoiced_orders
    group by connection, channel, shop_name
)

select s.connection, s.channel, s.shop_name, any_value(b.since) as since
from step.sent_orders as s
inner join begun as b
    on s.connection = b.connection and s.channel is not distinct from b.channel
    and s.shop_name is not distinct from b.shop_name
where s.first_shipped_at >= b.since
group by s.connection, s.channel, s.shop_name
having count(*) filter (where s.invoice_count > 0) * 2 >= count(*)
