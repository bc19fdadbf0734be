-- grain: one row a currency: what open breaks are about
select
    currency, sum(abs(coalesce(nullif(difference, 0), expected, actual))) as amount,
    count(*) as breaks
from recon.breaks
where status = 'open' and currency is not null
group by currency
order by breaks desc, currency
