-- grain: one row a record that is this customer
-- takes: id id
select
    s.connection, s.stream, s.source_key, s.code, s.name, s.phone, s.email, s.uscc, s.city, x.method, x.score, x.evidence
from unified.xref as x
inner join source.parties as s
    on x.connection = s.connection and x.stream = s.stream and x.source_key = s.source_key
where x.entity = 'party' and x.golden_id = $id::uuid and s.is_deleted is not true
order by x.valid_from, s.connection, s.source_key
limit $most
