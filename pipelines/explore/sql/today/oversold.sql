-- grain: one row a SKU of which a shop offers more than can be sent
select sku, product_name, offered, sellable, on_hand, sellable_source as connection, offered - sellable as over
from mart.sku_stock
where is_oversold
order by offered - sellable desc, sku
limit $most
