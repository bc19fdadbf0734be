-- grain: one row a way in which a system's orders are paid that goes through a gateway we read
-- A way is a gateway's where it has its name, or where the gateway has money of at least half of the
-- orders that were paid so: cash, a bank or an account that is not connected is no gateway's. What
-- was paid before `since` it cannot know. The other ways are told of as left out.
select connection, way, since
from step.counted_ways
where found * 2 >= many or (is_named and many < 20)
