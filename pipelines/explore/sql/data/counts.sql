-- grain: one row a stream: rows that the store has of it
select connection, stream, entity, row_count
from mart.entity_counts
order by connection, stream, entity
limit $most
