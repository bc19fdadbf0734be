-- grain: one row an order, or several that were merged, and a system whose documents do not add up to it
-- kind: amount
-- severity: error
-- among: order of_order
-- needs: shop|oms order, erp|oms order
-- en: What the documents of an ERP or OMS add up to is not the total of the order that they carry out.
-- zh: ERP 或 OMS 单据合计金额与所对应订单的金额不一致。
-- do-en: Correct the document, or the order, whichever is wrong; a part may also be missing.
-- do-zh: 更正有误的单据或订单；也可能缺少一部分单据。
-- What systems that count otherwise say is left out; a second copy of a document is another rule's.
select * exclude (off, many)
from step.document_sums
where off > getvariable('recon_tolerance') * many
    and (left_connection, right_connection) not in (
        select (left_connection, right_connection) from step.document_habits
    )
