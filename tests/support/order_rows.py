"""Rows of orders as a shop and as the systems behind it tell them."""

from __future__ import annotations

from typing import Any


def shop(key: str, total: int = 100, **more: Any) -> dict[str, Any]:
    return {"key": f"gid/{key}", "number": f"#{key}", "platform_order_no": key, "total": total,
            "currency": "CNY", "channel": "web", "kind": "sale", **more}  # fmt: skip


def document(key: str, claims: str | None, total: int = 100, **more: Any) -> dict[str, Any]:
    return {"key": key, "number": key, "platform_order_no": claims, "total": total,
            "currency": "CNY", "kind": "sale", **more}  # fmt: skip
