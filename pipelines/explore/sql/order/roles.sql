-- grain: one row a role that some stream of the company has
select distinct role from recon.roles order by role
