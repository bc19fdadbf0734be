"""What the sample company sells and to whom: its products and customers."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.sample import names

CUSTOMERS = 320
PRODUCTS = 120
_KINDS = (
    ("深沟球轴承", "轴承", "套", 18, 260),
    ("圆柱滚子轴承", "轴承", "套", 45, 480),
    ("不锈钢法兰", "管件", "个", 22, 310),
    ("液压软管", "液压", "米", 12, 95),
    ("伺服电机", "电气", "台", 680, 3900),
    ("接近开关", "电气", "个", 35, 220),
    ("工业润滑脂", "耗材", "桶", 88, 640),
    ("安全手套", "劳保", "双", 4, 28),
    ("内六角螺栓", "紧固件", "盒", 9, 76),
    ("气动接头", "气动", "个", 3, 42),
)


def make_products(dice: random.Random, start: datetime) -> list[dict[str, Any]]:
    """Return the shop's products; prices are Decimal in CNY."""
    found = []
    for number in range(1, PRODUCTS + 1):
        name, category, unit, low, high = _KINDS[number % len(_KINDS)]
        created = start - timedelta(days=dice.randrange(30, 400), seconds=dice.randrange(86_400))
        found.append(
            {
                "id": 7000 + number,
                "sku": f"{1000 + number}-{dice.choice('ABCD')}",
                "title": f"{name} {dice.randrange(10, 99)}x{dice.randrange(10, 99)}",
                "category": category,
                "unit": unit,
                "barcode": names.barcode(number),
                "price": Decimal(dice.randrange(low * 100, high * 100)) / 100,
                "status": "archived" if dice.random() < 0.04 else "active",
                "created_at": stamp(created),
                "updated_at": stamp(created + timedelta(days=dice.randrange(1, 29))),
            }
        )
    return found


def make_customers(dice: random.Random, start: datetime) -> list[dict[str, Any]]:
    """Return the shop's customers, two in three of them companies."""
    found = []
    taken: set[str] = set()
    for number in range(1, CUSTOMERS + 1):
        place = dice.choice(names.CITIES)
        is_company = dice.random() < 0.66
        contact = names.person(dice)
        name = names.company(dice, place[1]) if is_company else contact
        while name in taken:
            name = names.company(dice, place[1]) if is_company else names.person(dice)
        taken.add(name)
        contact = contact if is_company else name
        phone = names.mobile(dice, number)
        email = f"{'buyer' if is_company else 'u'}{number:04d}@example.com"
        created = start - timedelta(days=dice.randrange(1, 500), seconds=dice.randrange(86_400))
        identifiers = [{"type": "phone", "value": phone}, {"type": "email", "value": email}]
        code = names.uscc(dice, place[4]) if is_company else None
        if code:
            identifiers.append({"type": "uscc", "value": code})
        found.append(
            {
                "id": 3000 + number,
                "code": f"C{number:05d}",
                "type": "company" if is_company else "person",
                "name": name,
                "contact": contact,
                "phone": phone,
                "email": email,
                "tax_no": code,
                "level": dice.choice(("普通", "银牌", "金牌")),
                "identifiers": identifiers,
                "addresses": [_address(dice, place, contact, phone)],
                "created_at": stamp(created),
                "updated_at": stamp(created + timedelta(hours=dice.randrange(1, 20))),
            }
        )
    return found


def stamp(moment: datetime) -> str:
    """Return an instant as the shop writes it."""
    return moment.isoformat(timespec="seconds")


def _address(
    dice: random.Random, place: tuple[str, ...], contact: str, phone: str
) -> dict[str, Any]:
    street = f"{dice.choice(names.STREETS)}{dice.randrange(1, 999)}号"
    return {
        "id": 1,
        "usage": "shipping",
        "receiver": contact,
        "phone": phone,
        "province": place[0],
        "city": place[1],
        "district": place[2],
        "street": f"{street}{dice.randrange(1, 30)}室",
        "zip": place[5],
    }
