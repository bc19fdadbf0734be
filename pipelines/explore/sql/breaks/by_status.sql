-- grain: one row a status and severity
select status, severity, count(*) as breaks
from recon.breaks
group by status, severity
order by status, severity
