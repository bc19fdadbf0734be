-- grain: one row a day and currency on which the value of the stock is known
-- key: day, currency
-- en: What the goods in stock cost, and the cost of what leaves in a day. Goods as the books count them:
--   the ERP, else the WMS, the OMS, any other system that is no shop; of two the one with more SKUs. On
--   hand at the end of the day times the cost of one unit as known now; SKUs without a cost are left out
--   of both. Days begin with the first count and the first shipment, and end with the newest of either.
-- zh: 每日库存成本金额与日均发货成本。库存取账面系统：依次为 ERP、WMS、OMS、其他非店铺系统，同级取 SKU 较多者；以日末现存量乘以当前单位成本计，无成本的 SKU 不计。
-- column: day | Day | 日期 | In the company's time zone
-- column: currency | Currency | 币种 | Of the costs
-- column: stock_value | Stock value | 库存金额 | On hand at the end of the day, at cost
-- column: shipped_cost | Cost of goods shipped | 发货成本 | Of the 90 days up to this one, or of as many as there are since the first shipment
-- column: shipped_days | Days | 天数 | How many these are
with roles as (
    select
        connection,
        stream,
        min(case role when 'erp' then 1 when 'wms' then 2 when 'oms' then 3 else 4 end) as place
    from recon.roles
    group by connection, stream
),

versions as (
    select v.*, coalesce(r.place, 4) as place
    from mart.stock_versions as v
    left join roles as r on v.connection = r.connection and v.stream = r.stream
    where not v.is_offer and v.on_hand is not null
),

books as (
    select connection
    from versions
    group by connection
    order by min(place), count(distinct sku) desc, connection
    limit 1
),

told as (
    select sku, cost, currency, 1 as place from main.products where cost is not null
    union all
    select sku, cost, currency, 2 from source.stock_levels where cost is not null and is_deleted is not true
),

costs as (
    select sku, arg_min(struct_pack(cost := cost, currency := currency), (place, currency, cost)) as said
    from told
    where sku is not null and currency is not null
    group by sku
),

counted as (
    select v.own_sku as sku, v.on_hand, v.from_on, v.until_on
    from versions as v
    inner join books as b on v.connection = b.connection
),

moves as (
    select sku, from_on as day, on_hand from counted
    union all
    select sku, until_on, -on_hand from counted where until_on is not null
),

valued as (
    select m.day, c.said.currency as currency, sum(m.on_hand * c.said.cost::decimal(18, 6)) as step
    from moves as m
    inner join costs as c on m.sku = c.sku
    group by all
),

left_house as (
    select s.day, c.said.currency as currency, sum(s.quantity * c.said.cost::decimal(18, 6)) as cost
    from mart.sku_shipped as s
    inner join costs as c on s.sku = c.sku
    group by all
),

bounds as (
    select
        (select min(day) from valued) as first_count,
        (select min(day) from left_house) as first_shipped,
        greatest((select max(day) from valued), (select max(day) from left_house)) as last_day
),

calendar as (
    select c.currency, unnest(
        generate_series(
            least(b.first_count, b.first_shipped)::timestamp, b.last_day::timestamp, interval 1 day
        )
    )::date as day
    from bounds as b
    cross join (select currency from valued union select currency from left_house) as c
),

sums as (
    select
        c.day,
        c.currency,
        sum(coalesce(v.step, 0)) over (partition by c.currency order by c.day) as stock_value,
        sum(coalesce(l.cost, 0)) over (
            partition by c.currency order by c.day rows between 89 preceding and current row
        ) as shipped_cost
    from calendar as c
    left join valued as v on c.day = v.day and c.currency = v.currency
    left join left_house as l on c.day = l.day and c.currency = l.currency
)

select
    s.day,
    s.currency,
    s.stock_value,
    s.shipped_cost,
    least(90, date_diff('day', b.first_shipped, s.day) + 1) as shipped_days
from sums as s
cross join bounds as b
where s.day >= b.first_count and s.day >= b.first_shipped
