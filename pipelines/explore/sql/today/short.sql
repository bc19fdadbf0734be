-- grain: one row a line of an open, paid order whose goods are not there
select
    order_number, placed_at, party_name, sku, product_name, open_quantity, available, total, currency,
    order_source, payment_source, stock_source, order_id
from mart.paid_not_in_stock
order by placed_at, order_number, sku
limit $most
