-- the session
PRAGMA query_only = on;

-- a full read, in the order of the key
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", CAST(t."cCusName" AS BLOB) AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" AS t ORDER BY t."cSOCode", t."Line No";

-- gone on with after a row
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", CAST(t."cCusName" AS BLOB) AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" AS t
WHERE t."cSOCode" >= ? AND (t."cSOCode" > ? OR t."cSOCode" = ? AND t."Line No" > ?) ORDER BY t."cSOCode", t."Line No";

-- changed rows
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", CAST(t."cCusName" AS BLOB) AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" AS t
WHERE t.dmodify >= ? AND (t.dmodify <= ? OR t.dmodify > ?) ORDER BY t.dmodify, t."cSOCode", t."Line No";

-- changed rows, gone on with inside equal stamps
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", CAST(t."cCusName" AS BLOB) AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" AS t
WHERE t.dmodify >= ? AND (t.dmodify <= ? OR t.dmodify > ?) AND t.dmodify >= ? AND (t.dmodify > ? OR t.dmodify = ? AND (t."cSOCode" > ? OR t."cSOCode" = ? AND t."Line No" > ?)) ORDER BY t.dmodify, t."cSOCode", t."Line No";

-- the first of two stamps
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", CAST(t."cCusName" AS BLOB) AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" AS t
WHERE coalesce(t.dmodify, t.dcreate) >= ? AND coalesce(t.dmodify, t.dcreate) <= ? ORDER BY coalesce(t.dmodify, t.dcreate), t."cSOCode", t."Line No";

-- by rowversion
SELECT t."ID" AS "ID", t.ufts AS ufts
FROM "SO_SOMain" AS t
WHERE t.ufts >= ? AND t.ufts <= ? ORDER BY t.ufts, t."ID";

-- the greatest stamp
SELECT max(t.dmodify) AS max_1
FROM dbo."SO_SOMain" AS t;

-- the greatest rowversion
SELECT max(t.ufts) AS max_1
FROM "SO_SOMain" AS t;

-- a query
SELECT q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%x%'
) AS q
WHERE q.ts >= ? AND q.ts <= ? ORDER BY q.ts, q.id;

-- some rows
SELECT q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%x%'
) AS q ORDER BY q.id
 LIMIT ? OFFSET ?;

-- all keys
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No"
FROM dbo."SO_SOMain" AS t ORDER BY t."cSOCode", t."Line No";

-- how many
SELECT count(*) AS count_1
FROM dbo."SO_SOMain" AS t;

-- a key that comes twice
SELECT t."cSOCode", t."Line No"
FROM dbo."SO_SOMain" AS t GROUP BY t."cSOCode", t."Line No"
HAVING count(*) > ?
 LIMIT ? OFFSET ?;
