-- grain: one row a way in which a system's orders are paid and of which no gateway tells
-- rules: order_paid_without_money, payment_amount
-- en: Paid in a way of which no gateway tells: cash, a bank, an account that is not connected, or a gateway that has never sent its money.
-- zh: 支付方式不属于任何已接入的支付网关：现金、银行、未接入的账户，或从未传来收款的网关。
select connection, way as what, many as looked_at, found
from step.counted_ways
where not is_named and found * 2 < many
