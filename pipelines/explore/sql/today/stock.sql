-- grain: one row: how the stock stands now
select
    count(*) filter (where on_hand is not null) as counted,
    count(*) filter (where on_hand is not null and coalesce(sellable, on_hand) <= 0) as empty,
    count(*) filter (where is_oversold) as oversold,
    (select count(*) from mart.paid_not_in_stock) as short_lines,
    (select count(distinct order_id) from mart.paid_not_in_stock) as short_orders
from mart.sku_stock
