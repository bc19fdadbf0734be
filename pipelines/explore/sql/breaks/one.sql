-- grain: one row: a break with its rule
-- takes: id id
select
    b.*, r.english, r.chinese, r.do_english, r.do_chinese, o.number as order_number, y.name as party_name,
    p.name as product_name
from recon.breaks as b
left join recon.rules as r on b.rule = r.rule
left join unified.orders as o on b.order_id = o.order_id
left join unified.parties as y on b.party_id = y.party_id
left join unified.products as p on b.product_id = p.product_id
where b.break_id = $id::uuid
