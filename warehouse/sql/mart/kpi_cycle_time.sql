-- grain: one row a month and step of delivery
-- key: period, step
-- en: Order cycle time. Over all sales whose step ended in the month (not: that were placed in it),
--   the median and the 90th percentile of the hours that the step took. Steps and hours as in
--   `mart.order_steps`. Needs orders and shipments; delivery needs a carrier or gateway of parcels
--   that says when they arrived.
-- zh: 订单履约周期。以当月完成该环节（而非当月下单）的销售订单计，取耗时小时数的中位数与 90 分位数；环节定义见 `mart.order_steps`。需要订单与发货数据，签收环节需要承运商的签收时间。
-- column: period | Month | 月份 | First day of the month in which the step ended, in the company's time zone
-- column: step | Step | 环节 | placed_to_shipped, shipped_to_delivered or placed_to_delivered
-- column: median_hours | Median | 中位数（小时） | Half of the sales took no longer
-- column: p90_hours | 90th percentile | 90 分位数（小时） | Nine in ten took no longer; between two sales by line
-- column: order_count | Sales | 订单数 | Whose step ended in the month
with steps as (
    select step, date_trunc('month', ended_on)::date as period, hours from mart.order_steps
)

select
    period,
    step,
    quantile_cont(hours, 0.5) as median_hours,
    quantile_cont(hours, 0.9) as p90_hours,
    count(*) as order_count
from steps
group by period, step
