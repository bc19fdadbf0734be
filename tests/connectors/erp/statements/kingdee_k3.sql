-- customers
SELECT q.[FItemID] AS [FItemID], q.[FNumber] AS [FNumber], q.[FName] AS [FName], q.[FShortName] AS [FShortName], q.[FContact] AS [FContact], q.[FPhone] AS [FPhone], q.[FEmail] AS [FEmail], q.[FAddress] AS [FAddress], q.[FDeleted] AS [FDeleted], q.[FMobilePhone] AS [FMobilePhone], q.[FTaxNum] AS [FTaxNum], q.[FBank] AS [FBank], q.[FAccount] AS [FAccount]
FROM (select
  c.FItemID, c.FNumber, c.FName, c.FShortName, c.FContact, c.FPhone, c.FEmail, c.FAddress,
  c.FDeleted, -- 未核实 unverified: 禁用
  c.FMobilePhone, -- 未核实 unverified: 移动电话
  c.FTaxNum, -- 未核实 unverified: 税务登记号
  c.FBank, -- 未核实 unverified: 开户银行
  c.FAccount -- 未核实 unverified: 银行账号
from t_Organization c

) AS q ORDER BY q.[FItemID];

-- products
SELECT q.[FItemID] AS [FItemID], q.[FNumber] AS [FNumber], q.[FName] AS [FName], q.[FModel] AS [FModel], q.[FHelpCode] AS [FHelpCode], q.[FDeleted] AS [FDeleted], q.[FErpClsID] AS [FErpClsID], q.[FBatchManager] AS [FBatchManager], convert(bigint, q.[FModifyTime]) AS [FModifyTime], q.unit AS unit
FROM (select
  i.FItemID, i.FNumber, i.FName, i.FModel, i.FHelpCode, i.FDeleted, i.FErpClsID,
  i.FBatchManager, i.FModifyTime, u.FName as unit
from t_ICItem i
left join t_MeasureUnit u on u.FMeasureUnitID = i.FUnitID

) AS q
WHERE convert(bigint, q.[FModifyTime]) >= :convert_1 AND convert(bigint, q.[FModifyTime]) <= :convert_2 ORDER BY convert(bigint, q.[FModifyTime]), q.[FItemID];

-- warehouses
SELECT q.[FItemID] AS [FItemID], q.[FNumber] AS [FNumber], q.[FName] AS [FName], q.[FTypeID] AS [FTypeID], q.[FDeleted] AS [FDeleted]
FROM (select
  s.FItemID, s.FNumber, s.FName, s.FTypeID,
  s.FDeleted -- 未核实 unverified: 禁用
from t_Stock s

) AS q ORDER BY q.[FItemID];

-- stock
SELECT q.stock_key AS stock_key, q.[FStockID] AS [FStockID], q.warehouse AS warehouse, q.[FItemID] AS [FItemID], q.[FNumber] AS [FNumber], q.[FName] AS [FName], q.unit AS unit, q.[FBatchNo] AS [FBatchNo], q.[FStockPlaceID] AS [FStockPlaceID], q.[FAuxPropID] AS [FAuxPropID], q.[FMTONo] AS [FMTONo], q.[FQty] AS [FQty]
FROM (select
  concat(s.FStockID, '/', s.FItemID, '/', s.FBatchNo, '/', s.FStockPlaceID, '/',
         s.FAuxPropID, '/', s.FMTONo, '/', s.FKFDate, '/', s.FKFPeriod) as stock_key,
  s.FStockID, w.FName as warehouse, s.FItemID, i.FNumber, i.FName, u.FName as unit,
  s.FBatchNo, s.FStockPlaceID, s.FAuxPropID, s.FMTONo, s.FQty
from ICInventory s
left join t_Stock w on w.FItemID = s.FStockID
left join t_ICItem i on i.FItemID = s.FItemID
left join t_MeasureUnit u on u.FMeasureUnitID = i.FUnitID

) AS q ORDER BY q.stock_key;

-- orders
SELECT q.[FInterID] AS [FInterID], q.[FBillNo] AS [FBillNo], q.[FDate] AS [FDate], q.[FCustID] AS [FCustID], q.[FCurrencyID] AS [FCurrencyID], q.currency AS currency, q.[FExchangeRate] AS [FExchangeRate], q.[FEmpID] AS [FEmpID], q.[FDeptID] AS [FDeptID], q.[FFetchAdd] AS [FFetchAdd], q.[FExplanation] AS [FExplanation], q.[FStatus] AS [FStatus], q.[FClosed] AS [FClosed], q.[FCancellation] AS [FCancellation], q.[FCheckerID] AS [FCheckerID], q.[FCheckDate] AS [FCheckDate], q.[FOperDate] AS [FOperDate], q.total AS total, q.net AS net, q.tax AS tax, q.total_base AS total_base, q.quantity AS quantity, q.shipped AS shipped, q.lines AS lines
FROM (select
  m.FInterID, m.FBillNo, m.FDate, m.FCustID, m.FCurrencyID,
  y.FNumber as currency, m.FExchangeRate, m.FEmpID, m.FDeptID, m.FFetchAdd, m.FExplanation, m.FStatus,
  m.FClosed, m.FCancellation, m.FCheckerID, m.FCheckDate, m.FOperDate,
  t.total, t.net, t.tax, t.total_base, t.quantity, t.shipped,
  (
    select
      l.FEntryID, l.FItemID, i.FNumber, i.FName, i.FModel, u.FName as unit, l.FAuxQty,
      l.FAuxPrice, l.FAuxTaxPrice, l.FAuxPriceDiscount, l.FCess, l.FAmount, l.FTaxAmt,
      l.FAllAmount, l.FAuxStockQty, l.FDate, l.FNote, l.FMrpClosed
    from SEOrderEntry l
    left join t_ICItem i on i.FItemID = l.FItemID
    left join t_MeasureUnit u on u.FMeasureUnitID = l.FUnitID
    where l.FInterID = m.FInterID
    for json path
  ) as lines
from SEOrder m
left join t_Currency y on y.FCurrencyID = m.FCurrencyID
left join (
  select
    d.FInterID, sum(d.FAllAmount) as total, sum(d.FAmount) as net, sum(d.FTaxAmt) as tax,
    sum(d.FAllStdAmount) as total_base, sum(d.FAuxQty) as quantity,
    sum(d.FAuxStockQty) as shipped
  from SEOrderEntry d
  group by d.FInterID
) t on t.FInterID = m.FInterID
where m.FChangeMark = 0

) AS q ORDER BY q.[FInterID];

-- shipments
SELECT q.[FInterID] AS [FInterID], q.[FBillNo] AS [FBillNo], q.[FDate] AS [FDate], q.[FSupplyID] AS [FSupplyID], q.[FROB] AS [FROB], q.[FStatus] AS [FStatus], q.[FCancellation] AS [FCancellation], q.[FCheckerID] AS [FCheckerID], q.[FCheckDate] AS [FCheckDate], q.[FFetchAdd] AS [FFetchAdd], q.[FExplanation] AS [FExplanation], convert(bigint, q.[FOperDate]) AS [FOperDate], q.first_order AS first_order, q.last_order AS last_order, q.first_warehouse AS first_warehouse, q.last_warehouse AS last_warehouse, q.lines AS lines
FROM (select
  m.FInterID, m.FBillNo, m.FDate, m.FSupplyID, m.FROB, m.FStatus, m.FCancellation,
  m.FCheckerID, m.FCheckDate, m.FFetchAdd, m.FExplanation, m.FOperDate,
  t.first_order, t.last_order, t.first_warehouse, t.last_warehouse,
  (
    select
      l.FEntryID, l.FItemID, i.FNumber, i.FName, u.FName as unit, l.FAuxQty, l.FBatchNo,
      l.FDCStockID, l.FOrderInterID, l.FOrderEntryID, l.FOrderBillNo
    from ICStockBillEntry l
    left join t_ICItem i on i.FItemID = l.FItemID
    left join t_MeasureUnit u on u.FMeasureUnitID = l.FUnitID
    where l.FInterID = m.FInterID
    for json path
  ) as lines
from ICStockBill m
left join (
  select
    d.FInterID, min(d.FOrderInterID) as first_order, max(d.FOrderInterID) as last_order,
    min(d.FDCStockID) as first_warehouse, max(d.FDCStockID) as last_warehouse
  from ICStockBillEntry d
  group by d.FInterID
) t on t.FInterID = m.FInterID
where m.FTranType = 21

) AS q
WHERE convert(bigint, q.[FOperDate]) >= :convert_1 AND convert(bigint, q.[FOperDate]) <= :convert_2 ORDER BY convert(bigint, q.[FOperDate]), q.[FInterID];

-- invoices
SELECT q.[FInterID] AS [FInterID], q.[FBillNo] AS [FBillNo], q.[FTranType] AS [FTranType], q.[FDate] AS [FDate], q.[FCustID] AS [FCustID], q.customer AS customer, q.[FROB] AS [FROB], q.[FStatus] AS [FStatus], q.[FCancellation] AS [FCancellation], q.currency AS currency, q.[FExchangeRate] AS [FExchangeRate], q.[FNote] AS [FNote], q.net AS net, q.tax AS tax, q.gross AS gross, q.first_order AS first_order, q.last_order AS last_order, q.lines AS lines
FROM (select
  m.FInterID, m.FBillNo, m.FTranType, m.FDate, m.FCustID, c.FName as customer, m.FROB,
  m.FStatus, m.FCancellation, y.FNumber as currency, m.FExchangeRate,
  m.FNote, -- 未核实 unverified: 备注
  t.net, t.tax, t.gross, t.first_order, t.last_order,
  (
    select
      l.FEntryID, l.FItemID, i.FNumber, i.FName, i.FModel, u.FName as unit, l.FAuxQty,
      l.FAuxTaxPrice, l.FTaxRate, l.FAmount, l.FTaxAmount, l.FAmountincludetax,
      l.FOrderInterID
    from ICSaleEntry l
    left join t_ICItem i on i.FItemID = l.FItemID
    left join t_MeasureUnit u on u.FMeasureUnitID = l.FUnitID
    where l.FInterID = m.FInterID
    for json path
  ) as lines
from ICSale m
left join t_Organization c on c.FItemID = m.FCustID
left join t_Currency y on y.FCurrencyID = m.FCurrencyID
left join (
  select
    d.FInterID, sum(d.FAmount) as net, sum(d.FTaxAmount) as tax,
    sum(d.FAmountincludetax) as gross, min(d.FOrderInterID) as first_order,
    max(d.FOrderInterID) as last_order
  from ICSaleEntry d
  group by d.FInterID
) t on t.FInterID = m.FInterID
where m.FTranType in (80, 86)

) AS q ORDER BY q.[FInterID];

-- receipts
SELECT q.[FBillID] AS [FBillID], q.[FNumber] AS [FNumber], q.[FDate] AS [FDate], q.[FFincDate] AS [FFincDate], q.[FCustomer] AS [FCustomer], q.customer AS customer, q.currency AS currency, q.[FExchangeRate] AS [FExchangeRate], q.[FAmountFor] AS [FAmountFor], q.[FAmount] AS [FAmount], q.[FStatus] AS [FStatus], q.[FChecker] AS [FChecker], q.[FSettle] AS [FSettle], q.[FSettleNo] AS [FSettleNo], q.[FExplanation] AS [FExplanation]
FROM (select
  m.FBillID, m.FNumber, m.FDate, m.FFincDate, m.FCustomer, c.FName as customer,
  y.FNumber as currency, m.FExchangeRate, m.FAmountFor, m.FAmount, m.FStatus, m.FChecker,
  m.FSettle, m.FSettleNo, m.FExplanation
from t_RP_NewReceiveBill m
left join t_Organization c on c.FItemID = m.FCustomer
left join t_Currency y on y.FCurrencyID = m.FCurrencyID
where m.FClassTypeID = 1000005

) AS q ORDER BY q.[FBillID];
