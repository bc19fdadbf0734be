-- grain: one row something that happened with the customer beside orders, the newest first
-- takes: id id
with happened as (
    select coalesce(opened_at, source_created_at) as told_at, 'ticket' as what, connection, number,
        subject as said, status, null::decimal(18, 4) as amount, null as currency
    from unified.tickets where party_id = $id::uuid
    union all
    select coalesce(closed_date::timestamptz, source_updated_at), 'opportunity', connection, number, name, status, amount, currency
    from unified.opportunities where party_id = $id::uuid
    union all
    select coalesce(requested_at, approved_at, received_at), 'return', connection, number, reason_code, status, refund_amount, currency
    from unified.returns where party_id = $id::uuid
    union all
    select source_created_at, 'lead', connection, number, name, status, amount, currency
    from unified.leads where party_id = $id::uuid
    union all
    select coalesce(happened_at, first_seen), 'break', left_connection, coalesce(left_number, right_number), rule, status,
        abs(difference)::decimal(18, 4), currency
    from recon.breaks where party_id = $id::uuid and status = 'open'
)

select * from happened order by told_at desc nulls last, what, number limit $most
