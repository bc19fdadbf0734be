-- the session
SET default_transaction_read_only = on;
SET default_transaction_isolation = 'repeatable read';
SET statement_timeout = 600000;
SET datestyle = 'ISO, YMD';
SET timezone = 'Asia/Shanghai';

-- a full read, in the order of the key
SELECT CAST(t."cSOCode" AS TEXT) AS "cSOCode", t."Line No" AS "Line No", encode(convert_to(t."cCusName", 'SQL_ASCII'), 'hex') AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, CAST(t."order" AS TEXT) AS "order"
FROM dbo."SO_SOMain" AS t ORDER BY t."cSOCode", t."Line No";

-- gone on with after a row
SELECT CAST(t."cSOCode" AS TEXT) AS "cSOCode", t."Line No" AS "Line No", encode(convert_to(t."cCusName", 'SQL_ASCII'), 'hex') AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, CAST(t."order" AS TEXT) AS "order"
FROM dbo."SO_SOMain" AS t
WHERE t."cSOCode" >= %(cSOCode_1)s::VARCHAR AND (t."cSOCode" > %(cSOCode_2)s::VARCHAR OR t."cSOCode" = %(cSOCode_3)s::VARCHAR AND t."Line No" > %(Line_No_1)s::INTEGER) ORDER BY t."cSOCode", t."Line No";

-- changed rows
SELECT CAST(t."cSOCode" AS TEXT) AS "cSOCode", t."Line No" AS "Line No", encode(convert_to(t."cCusName", 'SQL_ASCII'), 'hex') AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, CAST(t."order" AS TEXT) AS "order"
FROM dbo."SO_SOMain" AS t
WHERE t.dmodify >= %(dmodify_1)s::TIMESTAMP WITHOUT TIME ZONE AND (t.dmodify <= %(dmodify_2)s::TIMESTAMP WITHOUT TIME ZONE OR t.dmodify > %(dmodify_3)s::TIMESTAMP WITHOUT TIME ZONE) ORDER BY t.dmodify, t."cSOCode", t."Line No";

-- changed rows, gone on with inside equal stamps
SELECT CAST(t."cSOCode" AS TEXT) AS "cSOCode", t."Line No" AS "Line No", encode(convert_to(t."cCusName", 'SQL_ASCII'), 'hex') AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, CAST(t."order" AS TEXT) AS "order"
FROM dbo."SO_SOMain" AS t
WHERE t.dmodify >= %(dmodify_1)s::TIMESTAMP WITHOUT TIME ZONE AND (t.dmodify <= %(dmodify_2)s::TIMESTAMP WITHOUT TIME ZONE OR t.dmodify > %(dmodify_3)s::TIMESTAMP WITHOUT TIME ZONE) AND t.dmodify >= %(dmodify_4)s::TIMESTAMP WITHOUT TIME ZONE AND (t.dmodify > %(dmodify_5)s::TIMESTAMP WITHOUT TIME ZONE OR t.dmodify = %(dmodify_6)s::TIMESTAMP WITHOUT TIME ZONE AND (t."cSOCode" > %(cSOCode_1)s::VARCHAR OR t."cSOCode" = %(cSOCode_2)s::VARCHAR AND t."Line No" > %(Line_No_1)s::INTEGER)) ORDER BY t.dmodify, t."cSOCode", t."Line No";

-- the first of two stamps
SELECT CAST(t."cSOCode" AS TEXT) AS "cSOCode", t."Line No" AS "Line No", encode(convert_to(t."cCusName", 'SQL_ASCII'), 'hex') AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, CAST(t."order" AS TEXT) AS "order"
FROM dbo."SO_SOMain" AS t
WHERE coalesce(t.dmodify, t.dcreate) >= %(coalesce_1)s::TIMESTAMP WITHOUT TIME ZONE AND coalesce(t.dmodify, t.dcreate) <= %(coalesce_2)s::TIMESTAMP WITHOUT TIME ZONE ORDER BY coalesce(t.dmodify, t.dcreate), t."cSOCode", t."Line No";

-- by rowversion
SELECT t."ID" AS "ID", t.ufts AS ufts
FROM "SO_SOMain" AS t
WHERE t.ufts >= %(ufts_1)s::INTEGER AND t.ufts <= %(ufts_2)s::INTEGER ORDER BY t.ufts, t."ID";

-- the greatest stamp
SELECT CAST(max(t.dmodify) AS TEXT) AS max_1
FROM dbo."SO_SOMain" AS t;

-- the greatest rowversion
SELECT max(t.ufts) AS max_1
FROM "SO_SOMain" AS t;

-- a query
SELECT q.id AS id, CAST(q.ts AS TEXT) AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%%x%%'
) AS q
WHERE q.ts >= %(ts_1)s::VARCHAR AND q.ts <= %(ts_2)s::VARCHAR ORDER BY q.ts, q.id;

-- some rows
SELECT q.id AS id, CAST(q.ts AS TEXT) AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%%x%%'
) AS q ORDER BY q.id
 LIMIT %(param_1)s::INTEGER;

-- all keys
SELECT CAST(t."cSOCode" AS TEXT) AS "cSOCode", t."Line No" AS "Line No"
FROM dbo."SO_SOMain" AS t ORDER BY t."cSOCode", t."Line No";

-- how many
SELECT count(*) AS count_1
FROM dbo."SO_SOMain" AS t;

-- a key that comes twice
SELECT t."cSOCode", t."Line No"
FROM dbo."SO_SOMain" AS t GROUP BY t."cSOCode", t."Line No"
HAVING count(*) > %(count_1)s::INTEGER
 LIMIT %(param_1)s::INTEGER;

-- the clock
SELECT clock_timestamp();

-- as COPY reads it: values written out
SELECT CAST(t."cSOCode" AS TEXT) AS "cSOCode", t."Line No" AS "Line No", encode(convert_to(t."cCusName", 'SQL_ASCII'), 'hex') AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, CAST(t."order" AS TEXT) AS "order"
FROM dbo."SO_SOMain" AS t
WHERE t.dmodify >= '2026-01-01 00:00:00' AND (t.dmodify <= '2026-01-02 08:30:00' OR t.dmodify > '2026-01-03 00:00:00') AND t.dmodify >= '2026-01-01 00:00:00' AND (t.dmodify > '2026-01-01 00:00:00' OR t.dmodify = '2026-01-01 00:00:00' AND (t."cSOCode" > 'SO-1' OR t."cSOCode" = 'SO-1' AND t."Line No" > 7)) ORDER BY t.dmodify, t."cSOCode", t."Line No"
