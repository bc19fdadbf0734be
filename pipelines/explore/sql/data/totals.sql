-- grain: one row: how far the data can be trusted
select
    (select count(*) from ops.freshness) as streams,
    (select count(*) from ops.freshness where is_kept is false) as late,
    (select count(*) from ops.quarantine where status = 'open') as quarantined,
    (select count(distinct (connection, stream)) from ops.completeness) as proved,
    (select count(*) from ops.completeness where status in ('missing', 'surplus', 'differs')) as differing,
    (select count(*) from recon.rules where is_on and applies and failed is null) as rules,
    (select count(*) from recon.rules where failed is not null) as failed_rules,
    (select count(*) from ops.suggestions) as suggestions
