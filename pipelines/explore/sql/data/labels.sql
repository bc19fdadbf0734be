-- grain: one row a column of the model and what it is called
select column_name, any_value(english) as english, any_value(chinese) as chinese
from ops.dictionary
where schema_name = 'unified' and column_name is not null
group by column_name
