-- grain: one row: how the stock stands now
select
    count(*) filter (where on_hand is not null) as counted,
    count(*) filter (where on_hand is not null and coalesce(sellable, on_hand) <= 0) as empty,
    count(*) filter (where is_oversold) as oversold
from mart.sku_stock
