"""The parcels' way: the story as 快递100 tells it when it is asked for a number."""

from __future__ import annotations

from connectors.base import utc_now
from connectors.kuaidi100.sample import event
from connectors.kuaidi100.simulator import Kuaidi100Simulator
from pipelines.sample.story import Story

CONNECTION, PORT = "logistics", 18807
CUSTOMER = "SAMPLECOMPANY"
SECRETS = {"LOGISTICS_KEY": "sampleKey1"}
STREAMS = ("tracks",)
CODES = {"圆通速递": "yuantong", "中通快递": "zhongtong", "顺丰速运": "shunfeng",
         "京东物流": "jd", "韵达快递": "yunda"}  # fmt: skip
SENDER = "6688"
"""Last digits of the warehouse's phone: 顺丰 tells nobody who knows no phone of the parcel."""
_WORDS = {"taken": "1", "moving": "0", "out": "5", "signed": "3", "trouble": "2"}


def build(story: Story) -> Kuaidi100Simulator:
    """Return the account with the parcels of the shop's orders; the ERP's go by the ERP's truck."""
    account = Kuaidi100Simulator(CUSTOMER, SECRETS["LOGISTICS_KEY"], now=utc_now)
    for _, parcel in story.sent():
        if parcel.steps:
            events = [
                event(step.at, step.said, _WORDS[step.word], step.city) for step in parcel.steps
            ]
            account.put(CODES[parcel.carrier], parcel.tracking, events[::-1], phone=SENDER)
    return account
