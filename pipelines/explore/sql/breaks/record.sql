-- grain: one row a record of a connection that has a key, whatever it is a record of
-- takes: connection text, key text
select 'order' as entity, stream, to_json(s) as record from source.orders as s where connection = $connection and source_key = $key
union all
select 'payment', stream, to_json(s) from source.payments as s where connection = $connection and source_key = $key
union all
select 'shipment', stream, to_json(s) from source.shipments as s where connection = $connection and source_key = $key
union all
select 'stock_level', stream, to_json(s) from source.stock_levels as s where connection = $connection and source_key = $key
union all
select 'return', stream, to_json(s) from source.returns as s where connection = $connection and source_key = $key
union all
select 'refund', stream, to_json(s) from source.refunds as s where connection = $connection and source_key = $key
union all
select 'invoice', stream, to_json(s) from source.invoices as s where connection = $connection and source_key = $key
union all
select 'product', stream, to_json(s) from source.products as s where connection = $connection and source_key = $key
