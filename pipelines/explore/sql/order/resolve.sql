-- grain: one row: the thing that an id leads to now
-- takes: id id
select coalesce(
    (select any_value(golden_id) from unified.forwardings where old_id = $id::uuid), $id::uuid
) as id
