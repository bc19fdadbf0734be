-- grain: one row an order for which an invoice was made
-- kept: order order_id
select order_id, connection, channel, shop_name, first_invoiced_on
from mart.order_to_cash
where invoice_count > 0
