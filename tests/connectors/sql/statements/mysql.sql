-- the session
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET SESSION time_zone = '+00:00';
SET SESSION net_write_timeout = 3600;

-- a full read, in the order of the key
SELECT t.`cSOCode` AS `cSOCode`, t.`Line No` AS `Line No`, CAST(t.`cCusName` AS BINARY) AS `cCusName`, t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.`order` AS `order`
FROM dbo.`SO_SOMain` AS t ORDER BY t.`cSOCode`, t.`Line No`;

-- gone on with after a row
SELECT t.`cSOCode` AS `cSOCode`, t.`Line No` AS `Line No`, CAST(t.`cCusName` AS BINARY) AS `cCusName`, t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.`order` AS `order`
FROM dbo.`SO_SOMain` AS t
WHERE t.`cSOCode` >= %s AND (t.`cSOCode` > %s OR t.`cSOCode` = %s AND t.`Line No` > %s) ORDER BY t.`cSOCode`, t.`Line No`;

-- changed rows
SELECT t.`cSOCode` AS `cSOCode`, t.`Line No` AS `Line No`, CAST(t.`cCusName` AS BINARY) AS `cCusName`, t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.`order` AS `order`
FROM dbo.`SO_SOMain` AS t
WHERE t.dmodify >= %s AND (t.dmodify <= %s OR t.dmodify > %s) ORDER BY t.dmodify, t.`cSOCode`, t.`Line No`;

-- changed rows, gone on with inside equal stamps
SELECT t.`cSOCode` AS `cSOCode`, t.`Line No` AS `Line No`, CAST(t.`cCusName` AS BINARY) AS `cCusName`, t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.`order` AS `order`
FROM dbo.`SO_SOMain` AS t
WHERE t.dmodify >= %s AND (t.dmodify <= %s OR t.dmodify > %s) AND t.dmodify >= %s AND (t.dmodify > %s OR t.dmodify = %s AND (t.`cSOCode` > %s OR t.`cSOCode` = %s AND t.`Line No` > %s)) ORDER BY t.dmodify, t.`cSOCode`, t.`Line No`;

-- the first of two stamps
SELECT t.`cSOCode` AS `cSOCode`, t.`Line No` AS `Line No`, CAST(t.`cCusName` AS BINARY) AS `cCusName`, t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.`order` AS `order`
FROM dbo.`SO_SOMain` AS t
WHERE coalesce(t.dmodify, t.dcreate) >= %s AND coalesce(t.dmodify, t.dcreate) <= %s ORDER BY coalesce(t.dmodify, t.dcreate), t.`cSOCode`, t.`Line No`;

-- by rowversion
SELECT t.`ID` AS `ID`, t.ufts AS ufts
FROM `SO_SOMain` AS t
WHERE t.ufts >= %s AND t.ufts <= %s ORDER BY t.ufts, t.`ID`;

-- the greatest stamp
SELECT max(t.dmodify) AS max_1
FROM dbo.`SO_SOMain` AS t;

-- the greatest rowversion
SELECT max(t.ufts) AS max_1
FROM `SO_SOMain` AS t;

-- a query
SELECT q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%%x%%'
) AS q
WHERE q.ts >= %s AND q.ts <= %s ORDER BY q.ts, q.id;

-- some rows
SELECT q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%%x%%'
) AS q ORDER BY q.id
 LIMIT %s;

-- all keys
SELECT t.`cSOCode` AS `cSOCode`, t.`Line No` AS `Line No`
FROM dbo.`SO_SOMain` AS t ORDER BY t.`cSOCode`, t.`Line No`;

-- how many
SELECT count(*) AS count_1
FROM dbo.`SO_SOMain` AS t;

-- a key that comes twice
SELECT t.`cSOCode`, t.`Line No`
FROM dbo.`SO_SOMain` AS t GROUP BY t.`cSOCode`, t.`Line No`
HAVING count(*) > %s
 LIMIT %s;

-- the clock
SELECT utc_timestamp(6);
