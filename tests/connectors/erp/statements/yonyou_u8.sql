-- customers
SELECT q.[cCusCode] AS [cCusCode], q.[cCusName] AS [cCusName], q.[cCusAbbName] AS [cCusAbbName], q.[cCCCode] AS [cCCCode], q.[cCCName] AS [cCCName], q.[cCusRegCode] AS [cCusRegCode], q.[cCusPerson] AS [cCusPerson], q.[cCusPhone] AS [cCusPhone], q.[cCusHand] AS [cCusHand], q.[cCusEmail] AS [cCusEmail], q.[cCusAddress] AS [cCusAddress], q.[cCusBank] AS [cCusBank], q.[cCusAccount] AS [cCusAccount], q.[iCusCreLine] AS [iCusCreLine], q.[cCusPPerson] AS [cCusPPerson], q.[dCusDevDate] AS [dCusDevDate], q.[dEndDate] AS [dEndDate], q.[dModifyDate] AS [dModifyDate], convert(bigint, q.pubufts) AS pubufts
FROM (select
  c.cCusCode, c.cCusName, c.cCusAbbName, c.cCCCode, k.cCCName, c.cCusRegCode,
  c.cCusPerson, c.cCusPhone, c.cCusHand, c.cCusEmail, c.cCusAddress, c.cCusBank,
  c.cCusAccount, c.iCusCreLine, c.cCusPPerson, c.dCusDevDate, c.dEndDate, c.dModifyDate,
  c.pubufts
from Customer c
left join CustomerClass k on k.cCCCode = c.cCCCode

) AS q
WHERE convert(bigint, q.pubufts) >= :convert_1 AND convert(bigint, q.pubufts) <= :convert_2 ORDER BY convert(bigint, q.pubufts), q.[cCusCode];

-- products
SELECT q.[cInvCode] AS [cInvCode], q.[cInvName] AS [cInvName], q.[cInvStd] AS [cInvStd], q.[cInvAddCode] AS [cInvAddCode], q.[cBarCode] AS [cBarCode], q.[cInvCCode] AS [cInvCCode], q.[cInvCName] AS [cInvCName], q.[cComUnitName] AS [cComUnitName], q.[bService] AS [bService], q.[bInvBatch] AS [bInvBatch], q.[iTaxRate] AS [iTaxRate], q.[dSDate] AS [dSDate], q.[dEDate] AS [dEDate], q.[dModifyDate] AS [dModifyDate], convert(bigint, q.pubufts) AS pubufts
FROM (select
  i.cInvCode, i.cInvName, i.cInvStd, i.cInvAddCode, i.cBarCode, i.cInvCCode, k.cInvCName,
  u.cComUnitName, i.bService, i.bInvBatch, i.iTaxRate, i.dSDate, i.dEDate, i.dModifyDate,
  i.pubufts
from Inventory i
left join InventoryClass k on k.cInvCCode = i.cInvCCode
left join ComputationUnit u on u.cComunitCode = i.cComUnitCode

) AS q
WHERE convert(bigint, q.pubufts) >= :convert_1 AND convert(bigint, q.pubufts) <= :convert_2 ORDER BY convert(bigint, q.pubufts), q.[cInvCode];

-- warehouses
SELECT q.[cWhCode] AS [cWhCode], q.[cWhName] AS [cWhName], q.[cWhAddress] AS [cWhAddress], q.[cWhPerson] AS [cWhPerson], q.[cWhPhone] AS [cWhPhone], q.[bFreeze] AS [bFreeze], q.[dWhEndDate] AS [dWhEndDate]
FROM (select w.cWhCode, w.cWhName, w.cWhAddress, w.cWhPerson, w.cWhPhone, w.bFreeze, w.dWhEndDate
from Warehouse w

) AS q ORDER BY q.[cWhCode];

-- stock
SELECT q.stock_key AS stock_key, q.[cWhCode] AS [cWhCode], q.[cWhName] AS [cWhName], q.[cInvCode] AS [cInvCode], q.[cInvName] AS [cInvName], q.[cComUnitName] AS [cComUnitName], q.[cBatch] AS [cBatch], q.[dVDate] AS [dVDate], q.[iQuantity] AS [iQuantity], q.[fOutQuantity] AS [fOutQuantity], q.[fInQuantity] AS [fInQuantity], q.[fStopQuantity] AS [fStopQuantity], q.[bStopFlag] AS [bStopFlag], q.[cFree1] AS [cFree1], q.[cFree2] AS [cFree2], q.[cFree3] AS [cFree3], q.[cFree4] AS [cFree4], q.[cFree5] AS [cFree5], q.[cFree6] AS [cFree6], q.[cFree7] AS [cFree7], q.[cFree8] AS [cFree8], q.[cFree9] AS [cFree9], q.[cFree10] AS [cFree10]
FROM (select
  concat(s.cWhCode, '/', s.cInvCode, '/', s.ItemId, '/', s.cBatch, '/', s.cVMIVenCode, '/',
         s.iSoType, '/', s.iSodid) as stock_key,
  s.cWhCode, w.cWhName, s.cInvCode, i.cInvName, u.cComUnitName, s.cBatch, s.dVDate,
  s.iQuantity, s.fOutQuantity, s.fInQuantity, s.fStopQuantity, s.bStopFlag,
  s.cFree1, s.cFree2, s.cFree3, s.cFree4, s.cFree5, s.cFree6, s.cFree7, s.cFree8, s.cFree9,
  s.cFree10
from CurrentStock s
left join Warehouse w on w.cWhCode = s.cWhCode
left join Inventory i on i.cInvCode = s.cInvCode
left join ComputationUnit u on u.cComunitCode = i.cComUnitCode

) AS q ORDER BY q.stock_key;

-- orders
SELECT q.[ID] AS [ID], q.[cSOCode] AS [cSOCode], q.[dDate] AS [dDate], q.[cCusCode] AS [cCusCode], q.[cCusName] AS [cCusName], q.[cSTCode] AS [cSTCode], q.[cBusType] AS [cBusType], q.[cDepCode] AS [cDepCode], q.[cPersonCode] AS [cPersonCode], q.cexch_name AS cexch_name, q.[iExchRate] AS [iExchRate], q.[cCusOAddress] AS [cCusOAddress], q.[cMemo] AS [cMemo], q.[bReturnFlag] AS [bReturnFlag], q.[cVerifier] AS [cVerifier], q.[cCloser] AS [cCloser], q.dcreatesystime AS dcreatesystime, q.dmodifysystime AS dmodifysystime, q.dverifysystime AS dverifysystime, q.dclosesystime AS dclosesystime, q.total AS total, q.net AS net, q.tax AS tax, q.discount AS discount, q.total_base AS total_base, q.quantity AS quantity, q.shipped AS shipped, convert(bigint, q.ufts) AS ufts, q.lines AS lines
FROM (select
  m.ID, m.cSOCode, m.dDate, m.cCusCode, m.cCusName, m.cSTCode, m.cBusType, m.cDepCode,
  m.cPersonCode, m.cexch_name, m.iExchRate, m.cCusOAddress, m.cMemo, m.bReturnFlag,
  m.cVerifier, m.cCloser, m.dcreatesystime, m.dmodifysystime, m.dverifysystime,
  m.dclosesystime,
  t.total, t.net, t.tax, t.discount, t.total_base, t.quantity, t.shipped,
  case when t.ufts > cast(m.ufts as bigint) then t.ufts else cast(m.ufts as bigint) end
    as ufts,
  (
    select
      l.iSOsID, l.iRowNo, l.cInvCode, l.cInvName, i.cInvStd, u.cComUnitName, l.iQuantity,
      l.iFHQuantity, l.iKPQuantity, l.iUnitPrice, l.iTaxUnitPrice, l.iTaxRate, l.iDisCount,
      l.iMoney, l.iTax, l.iSum, l.iNatSum, l.dPreDate, l.cSCloser, l.cMemo, l.cFree1,
      l.cFree2
    from SO_SODetails l
    left join Inventory i on i.cInvCode = l.cInvCode
    left join ComputationUnit u on u.cComunitCode = i.cComUnitCode
    where l.ID = m.ID
    for json path
  ) as lines
from SO_SOMain m
left join (
  select
    d.ID, sum(d.iSum) as total, sum(d.iMoney) as net, sum(d.iTax) as tax,
    sum(d.iDisCount) as discount, sum(d.iNatSum) as total_base,
    sum(d.iQuantity) as quantity, sum(d.iFHQuantity) as shipped,
    max(cast(d.dUfts as bigint)) as ufts
  from SO_SODetails d
  group by d.ID
) t on t.ID = m.ID

) AS q
WHERE convert(bigint, q.ufts) >= :convert_1 AND convert(bigint, q.ufts) <= :convert_2 ORDER BY convert(bigint, q.ufts), q.[ID];

-- shipments
SELECT q.[DLID] AS [DLID], q.[cDLCode] AS [cDLCode], q.[dDate] AS [dDate], q.[cCusCode] AS [cCusCode], q.[cSTCode] AS [cSTCode], q.[cSCCode] AS [cSCCode], q.[cShipAddress] AS [cShipAddress], q.[cMemo] AS [cMemo], q.[bReturnFlag] AS [bReturnFlag], q.[cVerifier] AS [cVerifier], q.[cCloser] AS [cCloser], q.dcreatesystime AS dcreatesystime, q.dmodifysystime AS dmodifysystime, q.first_order AS first_order, q.last_order AS last_order, q.first_warehouse AS first_warehouse, q.last_warehouse AS last_warehouse, convert(bigint, q.ufts) AS ufts, q.lines AS lines
FROM (select
  m.DLID, m.cDLCode, m.dDate, m.cCusCode, m.cSTCode, m.cSCCode, m.cShipAddress, m.cMemo,
  m.bReturnFlag, m.cVerifier, m.cCloser, m.dcreatesystime, m.dmodifysystime,
  t.first_order, t.last_order, t.first_warehouse, t.last_warehouse,
  m.ufts,
  (
    select
      l.iDLsID, l.irowno, l.cInvCode, l.cInvName, l.cBatch, l.iQuantity, l.iSOsID,
      o.ID as order_id, u.cComUnitName
    from DispatchLists l
    left join SO_SODetails o on o.iSOsID = l.iSOsID
    left join Inventory i on i.cInvCode = l.cInvCode
    left join ComputationUnit u on u.cComunitCode = i.cComUnitCode
    where l.DLID = m.DLID
    for json path
  ) as lines
from DispatchList m
left join (
  select
    d.DLID, min(s.ID) as first_order, max(s.ID) as last_order,
    min(d.cWhCode) as first_warehouse, max(d.cWhCode) as last_warehouse
  from DispatchLists d
  left join SO_SODetails s on s.iSOsID = d.iSOsID
  group by d.DLID
) t on t.DLID = m.DLID
where m.cVouchType = '05'

) AS q
WHERE convert(bigint, q.ufts) >= :convert_1 AND convert(bigint, q.ufts) <= :convert_2 ORDER BY convert(bigint, q.ufts), q.[DLID];

-- invoices
SELECT q.[SBVID] AS [SBVID], q.[cSBVCode] AS [cSBVCode], q.[cVouchType] AS [cVouchType], q.[dDate] AS [dDate], q.[cCusCode] AS [cCusCode], q.[cCusName] AS [cCusName], q.cexch_name AS cexch_name, q.[iExchRate] AS [iExchRate], q.[bReturnFlag] AS [bReturnFlag], q.[cSOCode] AS [cSOCode], q.[cMemo] AS [cMemo], q.dcreatesystime AS dcreatesystime, q.dmodifysystime AS dmodifysystime, q.[cChecker] AS [cChecker], q.[cInvalider] AS [cInvalider], q.[dGatheringDate] AS [dGatheringDate], q.net AS net, q.tax AS tax, q.gross AS gross, q.first_order AS first_order, q.last_order AS last_order, convert(bigint, q.ufts) AS ufts, q.lines AS lines
FROM (select
  m.SBVID, m.cSBVCode, m.cVouchType, m.dDate, m.cCusCode, m.cCusName, m.cexch_name,
  m.iExchRate, m.bReturnFlag, m.cSOCode, m.cMemo, m.dcreatesystime, m.dmodifysystime,
  m.cChecker,
  m.cInvalider, -- 未核实 unverified: 作废人
  m.dGatheringDate, -- 未核实 unverified: 到期日
  t.net, t.tax, t.gross, t.first_order, t.last_order,
  m.ufts,
  (
    select
      l.AutoID, l.cInvCode, i.cInvName, i.cInvStd, u.cComUnitName, l.iQuantity,
      l.iTaxUnitPrice, l.iMoney, l.iTax, l.iSum, l.iSOsID, o.ID as order_id,
      l.iTaxRate -- 未核实 unverified: 税率
    from SaleBillVouchs l
    left join SO_SODetails o on o.iSOsID = l.iSOsID
    left join Inventory i on i.cInvCode = l.cInvCode
    left join ComputationUnit u on u.cComunitCode = i.cComUnitCode
    where l.SBVID = m.SBVID
    for json path
  ) as lines
from SaleBillVouch m
left join (
  select
    d.SBVID, sum(d.iMoney) as net, sum(d.iTax) as tax, sum(d.iSum) as gross,
    min(s.ID) as first_order, max(s.ID) as last_order
  from SaleBillVouchs d
  left join SO_SODetails s on s.iSOsID = d.iSOsID
  group by d.SBVID
) t on t.SBVID = m.SBVID
where m.cVouchType in ('26', '27')

) AS q
WHERE convert(bigint, q.ufts) >= :convert_1 AND convert(bigint, q.ufts) <= :convert_2 ORDER BY convert(bigint, q.ufts), q.[SBVID];

-- receipts
SELECT q.[iID] AS [iID], q.[cVouchID] AS [cVouchID], q.[dVouchDate] AS [dVouchDate], q.[cDwCode] AS [cDwCode], q.[cCusName] AS [cCusName], q.cexch_name AS cexch_name, q.[iExchRate] AS [iExchRate], q.[iAmount] AS [iAmount], q.[iAmount_f] AS [iAmount_f], q.[cSSCode] AS [cSSCode], q.[cNoteNo] AS [cNoteNo], q.[cDigest] AS [cDigest], q.[cCheckMan] AS [cCheckMan], q.dcreatesystime AS dcreatesystime, q.dmodifysystime AS dmodifysystime, convert(bigint, q.ufts) AS ufts
FROM (select
  m.iID, m.cVouchID, m.dVouchDate, m.cDwCode, c.cCusName, m.cexch_name, m.iExchRate,
  m.iAmount, m.iAmount_f, m.cSSCode, m.cNoteNo, m.cDigest, m.cCheckMan,
  m.dcreatesystime, m.dmodifysystime,
  m.ufts
from Ap_CloseBill m
left join Customer c on c.cCusCode = m.cDwCode
where m.cVouchType = '48' and m.cFlag = 'AR'

) AS q
WHERE convert(bigint, q.ufts) >= :convert_1 AND convert(bigint, q.ufts) <= :convert_2 ORDER BY convert(bigint, q.ufts), q.[iID];
