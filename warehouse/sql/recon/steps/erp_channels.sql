-- grain: one row a channel of a shop whose orders the ERP takes over at all: a tenth of them
-- `since` is the first order that it took.
select
    connection, channel, shop_name,
    min(placed_at) filter (where erp_documents > 0) as since
from step.expected_in_erp
group by connection, channel, shop_name
having count(*) filter (where erp_documents > 0) * 10 >= count(*)
