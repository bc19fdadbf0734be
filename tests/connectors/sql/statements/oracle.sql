-- the session
ALTER SESSION SET TIME_ZONE = '+00:00';

-- a full read, in the order of the key
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", utl_raw.cast_to_raw(t."cCusName") AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, sys_extract_utc(t.tz) AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" t ORDER BY t."cSOCode", t."Line No";

-- gone on with after a row
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", utl_raw.cast_to_raw(t."cCusName") AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, sys_extract_utc(t.tz) AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" t
WHERE t."cSOCode" >= :cSOCode_1 AND (t."cSOCode" > :cSOCode_2 OR t."cSOCode" = :cSOCode_3 AND t."Line No" > :Line_No_1) ORDER BY t."cSOCode", t."Line No";

-- changed rows
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", utl_raw.cast_to_raw(t."cCusName") AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, sys_extract_utc(t.tz) AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" t
WHERE t.dmodify >= :dmodify_1 AND (t.dmodify <= :dmodify_2 OR t.dmodify > :dmodify_3) ORDER BY t.dmodify, t."cSOCode", t."Line No";

-- changed rows, gone on with inside equal stamps
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", utl_raw.cast_to_raw(t."cCusName") AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, sys_extract_utc(t.tz) AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" t
WHERE t.dmodify >= :dmodify_1 AND (t.dmodify <= :dmodify_2 OR t.dmodify > :dmodify_3) AND t.dmodify >= :dmodify_4 AND (t.dmodify > :dmodify_5 OR t.dmodify = :dmodify_6 AND (t."cSOCode" > :cSOCode_1 OR t."cSOCode" = :cSOCode_2 AND t."Line No" > :Line_No_1)) ORDER BY t.dmodify, t."cSOCode", t."Line No";

-- the first of two stamps
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No", utl_raw.cast_to_raw(t."cCusName") AS "cCusName", t.dmodify AS dmodify, t.dcreate AS dcreate, sys_extract_utc(t.tz) AS tz, t."order" AS "order"
FROM dbo."SO_SOMain" t
WHERE coalesce(t.dmodify, t.dcreate) >= :coalesce_1 AND coalesce(t.dmodify, t.dcreate) <= :coalesce_2 ORDER BY coalesce(t.dmodify, t.dcreate), t."cSOCode", t."Line No";

-- by rowversion
SELECT t."ID" AS "ID", t.ufts AS ufts
FROM "SO_SOMain" t
WHERE t.ufts >= :ufts_1 AND t.ufts <= :ufts_2 ORDER BY t.ufts, t."ID";

-- the greatest stamp
SELECT max(t.dmodify) AS max_1
FROM dbo."SO_SOMain" t;

-- the greatest rowversion
SELECT max(t.ufts) AS max_1
FROM "SO_SOMain" t;

-- a query
SELECT q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%x%'
) q
WHERE q.ts >= :ts_1 AND q.ts <= :ts_2 ORDER BY q.ts, q.id;

-- some rows
SELECT q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%x%'
) q ORDER BY q.id
 FETCH FIRST 10 ROWS ONLY;

-- all keys
SELECT t."cSOCode" AS "cSOCode", t."Line No" AS "Line No"
FROM dbo."SO_SOMain" t ORDER BY t."cSOCode", t."Line No";

-- how many
SELECT count(*) AS count_1
FROM dbo."SO_SOMain" t;

-- a key that comes twice
SELECT t."cSOCode", t."Line No"
FROM dbo."SO_SOMain" t GROUP BY t."cSOCode", t."Line No"
HAVING count(*) > :count_1
 FETCH FIRST 1 ROWS ONLY;

-- the clock
SELECT sys_extract_utc(systimestamp) FROM DUAL;
