-- grain: one row a number that a document of the ERP or OMS claims and no order has
-- kind: missing_left
-- severity: error
-- among: order of_order
-- whole: source.orders
-- needs: shop order, erp|oms order
-- en: A document of the ERP or OMS that claims a shop's order number which does not exist.
-- zh: ERP 或 OMS 单据所引用的网店订单号不存在。
-- do-en: Correct the number on the document, or cancel it if the order never was.
-- do-zh: 更正单据上的网店订单号；若订单从未存在，则作废单据。
-- A number that any other system ever told of exists, also where its order was deleted. Only numbers
-- that look like those of a connected shop, on documents not older than the shop's first order: the
-- ERP may serve shops that are not connected.
with claims as (
    select
        * exclude (said),
        unnest(list_distinct(list_filter(
            regexp_split_to_array(said, '[,;，；、\s]+'), lambda x: length(x) > 0
        ))) as shown,
        lower(shown) as said
    from step.claiming_documents
    where lower(said) <> lower(source_key) and not suffix(lower(source_key), '/' || lower(said))
        and lower(said) is distinct from lower(trim(number))
),

asked as (
    select connection, said as value from claims
    union
    select connection, unnest(regexp_split_to_array(said, '[|+/｜＋／]+')) from claims
    where regexp_matches(said, '[|+/｜＋／]')
),

numbers as (
    select connection, lower(trim(number)) as value from source.orders
    union all
    select connection, lower(trim(platform_order_no)) from source.orders
    where stream in (select stream from recon.roles where role = 'shop')
    union all
    select connection, lower(trim(merchant_order_no)) from source.orders
    union all
    select connection, lower(source_key) from source.orders
),

known as (
    select distinct a.connection, a.value
    from asked as a
    inner join numbers as n on a.value = n.value and a.connection <> n.connection
),

-- Parts of what | + / join are judged where at least one of them is an order's number.
parted as (
    select
        c.* exclude (said, shown),
        unnest(regexp_split_to_array(c.shown, '[|+/｜＋／]+')) as shown,
        lower(shown) as said
    from claims as c
    where regexp_matches(c.said, '[|+/｜＋／]')
        and exists (
            select 1 from known as k
            where k.connection = c.connection
                and list_contains(regexp_split_to_array(c.said, '[|+/｜＋／]+'), k.value)
        )
),

judged as (
    select * exclude (said, shown), shown, said from claims
    where not regexp_matches(said, '[|+/｜＋／]')
        or (connection, source_key) not in (select (connection, source_key) from parted)
    union all
    select * from parted
)

select
    j.connection || '/' || j.stream || '/' || j.source_key || '/' || j.said as subject,
    j.order_id,
    j.party_id,
    j.shown as left_number,
    j.connection as right_connection,
    j.source_key as right_key,
    j.number as right_number,
    j.currency,
    j.total as actual,
    j.made_at as happened_at,
    j.of_order
from judged as j
cross join step.first_sold as b
where (j.connection, j.said) not in (select (connection, value) from known)
    and (j.made_at is null or j.made_at >= b.of_shops)
    and exists (
        select 1 from step.number_shapes as s
        where s.is_of_shop and s.bare = translate(j.said, '0123456789', '')
            and abs(s.long - length(j.said)) <= 1
    )
