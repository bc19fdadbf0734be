-- the session
SET DATEFORMAT ymd;
SET LOCK_TIMEOUT 600000;
SET NOCOUNT ON;

-- a full read, in the order of the key
SELECT t.[cSOCode] AS [cSOCode], t.[Line No] AS [Line No], CAST(t.[cCusName] AS VARBINARY(8000)) AS [cCusName], t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.[order] AS [order]
FROM dbo.[SO_SOMain] AS t ORDER BY t.[cSOCode], t.[Line No];

-- gone on with after a row
SELECT t.[cSOCode] AS [cSOCode], t.[Line No] AS [Line No], CAST(t.[cCusName] AS VARBINARY(8000)) AS [cCusName], t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.[order] AS [order]
FROM dbo.[SO_SOMain] AS t
WHERE t.[cSOCode] >= :cSOCode_1 AND (t.[cSOCode] > :cSOCode_2 OR t.[cSOCode] = :cSOCode_3 AND t.[Line No] > :Line_No_1) ORDER BY t.[cSOCode], t.[Line No];

-- changed rows
SELECT t.[cSOCode] AS [cSOCode], t.[Line No] AS [Line No], CAST(t.[cCusName] AS VARBINARY(8000)) AS [cCusName], t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.[order] AS [order]
FROM dbo.[SO_SOMain] AS t
WHERE t.dmodify >= :dmodify_1 AND (t.dmodify <= :dmodify_2 OR t.dmodify > :dmodify_3) ORDER BY t.dmodify, t.[cSOCode], t.[Line No];

-- changed rows, gone on with inside equal stamps
SELECT t.[cSOCode] AS [cSOCode], t.[Line No] AS [Line No], CAST(t.[cCusName] AS VARBINARY(8000)) AS [cCusName], t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.[order] AS [order]
FROM dbo.[SO_SOMain] AS t
WHERE t.dmodify >= :dmodify_1 AND (t.dmodify <= :dmodify_2 OR t.dmodify > :dmodify_3) AND t.dmodify >= :dmodify_4 AND (t.dmodify > :dmodify_5 OR t.dmodify = :dmodify_6 AND (t.[cSOCode] > :cSOCode_1 OR t.[cSOCode] = :cSOCode_2 AND t.[Line No] > :Line_No_1)) ORDER BY t.dmodify, t.[cSOCode], t.[Line No];

-- the first of two stamps
SELECT t.[cSOCode] AS [cSOCode], t.[Line No] AS [Line No], CAST(t.[cCusName] AS VARBINARY(8000)) AS [cCusName], t.dmodify AS dmodify, t.dcreate AS dcreate, t.tz AS tz, t.[order] AS [order]
FROM dbo.[SO_SOMain] AS t
WHERE coalesce(t.dmodify, t.dcreate) >= :coalesce_1 AND coalesce(t.dmodify, t.dcreate) <= :coalesce_2 ORDER BY coalesce(t.dmodify, t.dcreate), t.[cSOCode], t.[Line No];

-- by rowversion
SELECT t.[ID] AS [ID], convert(bigint, t.ufts) AS ufts
FROM [SO_SOMain] AS t
WHERE convert(bigint, t.ufts) >= :convert_1 AND convert(bigint, t.ufts) <= :convert_2 ORDER BY convert(bigint, t.ufts), t.[ID];

-- the greatest stamp
SELECT max(t.dmodify) AS max_1
FROM dbo.[SO_SOMain] AS t;

-- the greatest rowversion
SELECT max(convert(bigint, t.ufts)) AS max_1
FROM [SO_SOMain] AS t;

-- a query
SELECT q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%x%'
) AS q
WHERE q.ts >= :ts_1 AND q.ts <= :ts_2 ORDER BY q.ts, q.id;

-- some rows
SELECT TOP 10 q.id AS id, q.ts AS ts
FROM (select o.id, o.ts::text as ts -- '12:30'
from "Order" o where o.name like '%x%'
) AS q ORDER BY q.id;

-- all keys
SELECT t.[cSOCode] AS [cSOCode], t.[Line No] AS [Line No]
FROM dbo.[SO_SOMain] AS t ORDER BY t.[cSOCode], t.[Line No];

-- how many
SELECT count(*) AS count_1
FROM dbo.[SO_SOMain] AS t;

-- a key that comes twice
SELECT TOP 1 t.[cSOCode], t.[Line No]
FROM dbo.[SO_SOMain] AS t GROUP BY t.[cSOCode], t.[Line No]
HAVING count(*) > :count_1;

-- the last settled rowversion
SELECT convert(bigint, min_active_rowversion()) - :convert_1 AS anon_1;

-- the clock
SELECT sysutcdatetime();
