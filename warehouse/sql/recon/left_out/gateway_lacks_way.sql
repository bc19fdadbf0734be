-- grain: one row a way in which a system's orders are paid that bears the name of a gateway without its money
-- rules: order_paid_without_money, payment_amount
-- en: Paid in a way that bears a gateway's name, and the gateway has money of less than half of the orders: its feed is broken, or it is an account that is not connected.
-- zh: 支付方式与某支付网关同名，但网关中有收款的订单不足一半：该网关数据不全，或对应账户未接入。
select connection, way as what, many as looked_at, found
from step.counted_ways
where is_named and many >= 20 and found * 2 < many
