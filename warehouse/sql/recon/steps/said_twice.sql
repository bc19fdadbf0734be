-- grain: one row a set of documents of one system that say the same of themselves
-- among: order of_order, invoice of_invoice
-- Alike are orders of one customer with one number (`way` number) or one number of the buyer (po), sum
-- and day, and invoices with one number. Alike is not yet the same: call-offs of a blanket order and
-- the halves of a split invoice are alike too, and only what they are about tells them apart. A second
-- import says the very same lines. `is_sure` is that: their lines are known and the same, and the
-- buyer's number stands on nothing else. Sets whose lines differ are left out; so are documents of a
-- blanket order without lines, for these are alike by nature.
with orders as (
    select
        s.connection, s.stream, s.source_key, s.number, s.po_number, s.customer_key, s.currency, s.total,
        coalesce(s.order_date, timezone(getvariable('recon_zone'), s.placed_at)::date) as day, s.shop_name, s.organization_key,
        coalesce(s.source_created_at, s.placed_at) as made_at,
        s.promised_at, s.location_key, s.ship_to_name, s.ship_to_address
    from source.orders as s
    inner join (
        select distinct connection, stream from recon.roles where role in ('shop', 'oms', 'erp')
    ) as r on s.connection = r.connection and s.stream = r.stream
    where s.is_deleted is not true and s.is_test is not true and s.total > 0
        and coalesce(s.status, 'confirmed') not in ('cancelled', 'draft', 'closed')
        and coalesce(s.kind, 'sale') = 'sale' and s.parent_order_key is null
),

-- Alike are documents of one `set_key`: all that is to be the same, as one number.
documents as (
    select
        'number' as way, connection, stream, source_key, number, number as said, currency, total, made_at,
        null as po_key,
        hash(
            'number', connection, stream, number, customer_key, currency, total, day, shop_name, organization_key
        ) as set_key
    from orders
    where number is not null
    union all
    select
        'po', connection, stream, source_key, number, number, currency, total, made_at,
        hash(connection, stream, customer_key, po_number),
        hash(
            'po', connection, stream, po_number, customer_key, currency, total, day, shop_name, organization_key,
            promised_at, location_key, ship_to_name, ship_to_address
        )
    from orders
    where po_number is not null and trim(po_number) <> '' and customer_key is not null
    union all
    select
        'invoice', connection, stream, source_key, number, coalesce(e_invoice_no, number), currency, gross,
        source_created_at, null,
        hash(
            'invoice', connection, stream, coalesce(e_invoice_no, number), invoice_code, direction, kind,
            currency, gross, customer_key, issue_date
        )
    from source.invoices
    where is_deleted is not true and coalesce(status, 'issued') not in ('void', 'red_offset', 'draft')
        and coalesce(e_invoice_no, number) is not null and gross > 0
),

repeated as (
    select set_key from documents group by set_key having count(*) > 1
),

bought as (
    select po_key, count(*) as documents from documents where po_key is not null group by po_key
),

alike as (
    select d.*, b.documents as of_po
    from documents as d
    inner join repeated as r on d.set_key = r.set_key
    left join bought as b on d.po_key = b.po_key
),

lines as (
    select
        false as of_invoice, l.connection, l.stream, l.parent_key,
        coalesce(l.product_key, l.sku, l.barcode, l.name) as what, l.quantity,
        hash(
            coalesce(l.product_key, l.sku, l.barcode, l.name), l.quantity,
            coalesce(l.unit_price, l.net, l.gross), l.unit, l.requested_date, l.location_key
        ) as said
    from source.order_lines as l
    semi join alike as a
        on l.connection = a.connection and l.stream = a.stream and l.parent_key = a.source_key
        and a.way <> 'invoice'
    union all
    select
        true, l.connection, l.stream, l.parent_key, coalesce(l.product_key, l.sku, l.name), l.quantity,
        hash(
            coalesce(l.product_key, l.sku, l.name), l.quantity, coalesce(l.unit_price, l.net, l.gross), l.unit,
            l.order_key
        )
    from source.invoice_lines as l
    semi join alike as a
        on l.connection = a.connection and l.stream = a.stream and l.parent_key = a.source_key
        and a.way = 'invoice'
),

-- What a document is about, in whatever order its lines stand.
contents as (
    select
        of_invoice, connection, stream, parent_key,
        -- A line that lacks its thing or its quantity is not known, nor is what it stands in.
        case when bool_and(what is not null and quantity is not null)
            then count(*) || '/' || sum(said::hugeint)
        end as content
    from lines
    group by of_invoice, connection, stream, parent_key
),

held as (
    select
        a.*,
        case when bool_and(c.content is not null) over (partition by a.set_key) then c.content end as content
    from alike as a
    left join contents as c
        on c.of_invoice = (a.way = 'invoice') and a.connection = c.connection and a.stream = c.stream
        and a.source_key = c.parent_key
),

sets as (
    select
        connection || '/' || way || '/' || min(source_key) as subject,
        way, connection, any_value(stream) as stream,
        min(source_key) as first_key, max(source_key) as last_key,
        arg_min(number, source_key) as number,
        case way when 'invoice' then any_value(said) else arg_max(number, source_key) end as other_number,
        any_value(currency) as currency, any_value(total) as total, count(*) as many, max(made_at) as made_at,
        content is not null as is_known, any_value(of_po) > count(*) as is_blanket
    from held
    group by way, connection, set_key, content
    having count(*) > 1 and (way <> 'po' or count(distinct number) > 1)
)

select
    s.subject, s.connection as left_connection, s.first_key as left_key, s.number as left_number,
    s.connection as right_connection, s.last_key as right_key, s.other_number as right_number, s.currency,
    s.total as expected, (s.total::decimal(28, 4) * s.many)::decimal(28, 4) as actual,
    s.made_at as happened_at,
    case s.way when 'invoice' then null else x.golden_id end as of_order,
    case s.way when 'invoice' then x.golden_id end as of_invoice,
    s.is_known and s.is_blanket is not true as is_sure
from sets as s
inner join main.xref as x
    on x.entity = case s.way when 'invoice' then 'invoice' else 'order' end
    and s.connection = x.connection and s.stream = x.stream and s.first_key = x.source_key
where s.is_known or s.is_blanket is not true
