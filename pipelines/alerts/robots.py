"""The robots of DingTalk, Feishu and WeCom for apprise: signed, and refusals noticed.

They answer HTTP 200 and say in the body that they refused (a sign that does not match, a keyword
that is missing, too many messages); apprise's own take that for sent, and its Feishu does not sign.
Facts: contracts of the robots (DingTalk `robot/send`, Feishu `bot/v2/hook`, WeCom `webhook/send`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any, ClassVar

import requests
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase

CONNECT, READ = 5.0, 10.0


class Robot(NotifyBase):  # type: ignore[misc]
    """One robot: `<schema>://TOKEN` or `<schema>://SECRET@TOKEN`.

    `refused` says after a try why the robot did not take the message, "" where it did.
    """

    code: ClassVar[str]
    refused: str = ""

    title_maxlen = 250
    body_maxlen = 4000  # characters; WeCom's 4,096 bytes are cut by `_cut`

    def __init__(self, token: str, secret: str = "", **rest: Any) -> None:
        super().__init__(**rest)
        self.token, self.secret = token, secret

    @classmethod
    def parse_url(cls, url: str) -> dict[str, Any] | None:
        """Return what the address says: token, and the secret before its @."""
        found: dict[str, Any] | None = NotifyBase.parse_url(url, verify_host=False)
        if found:
            found["token"] = cls.unquote(found["host"])
            found["secret"] = cls.unquote(found.get("user") or "")
        return found

    def url(self, privacy: bool = False, *args: Any, **rest: Any) -> str:
        """Return the address without what is secret."""
        return f"{self.secure_protocol}://****"

    def send(self, body: str, title: str = "", **_rest: Any) -> bool:
        """Post one message; True only where the robot says that it took it."""
        text = f"{title}\n{body}" if title else body
        address, content = self.request(text, time.time())
        self.refused = ""
        try:
            answer = requests.post(
                address, json=content, timeout=(CONNECT, READ), allow_redirects=False
            )
            said = answer.json() if answer.content else {}
        except (requests.RequestException, ValueError) as error:
            self.refused = type(error).__name__
            return False
        code = said.get(self.code) if isinstance(said, dict) else None
        if answer.status_code != 200 or str(code) != "0":
            self.refused = f"HTTP {answer.status_code}, {self.code} {code}"
            return False
        return True

    def request(self, text: str, now: float) -> tuple[str, dict[str, Any]]:
        """Return the address and the body of a message sent at `now` (seconds of the epoch)."""
        raise NotImplementedError


class DingTalk(Robot):
    """`dingtalk://SECRET@TOKEN`; the secret begins with SEC."""

    service_name = "DingTalk"
    secure_protocol = "dingtalk"
    notify_url = "https://oapi.dingtalk.com/robot/send"
    code = "errcode"

    def request(self, text: str, now: float) -> tuple[str, dict[str, Any]]:
        """Return the address, signed where there is a secret, and a text message."""
        query = {"access_token": self.token}
        if self.secret:
            stamp = str(int(now * 1000))
            query |= {
                "timestamp": stamp,
                "sign": _sign(self.secret.encode(), f"{stamp}\n{self.secret}".encode()),
            }
        return _with(self.notify_url, query), {"msgtype": "text", "text": {"content": text}}


class Feishu(Robot):
    """`feishu://SECRET@TOKEN`; the token is the last part of the hook's address."""

    service_name = "Feishu"
    secure_protocol = "feishu"
    notify_url = "https://open.feishu.cn/open-apis/bot/v2/hook"
    code = "code"

    def request(self, text: str, now: float) -> tuple[str, dict[str, Any]]:
        """Return the address and a text message, signed where there is a secret."""
        signed: dict[str, Any] = {}
        if self.secret:
            stamp = str(int(now))
            signed = {"timestamp": stamp, "sign": _sign(f"{stamp}\n{self.secret}".encode(), b"")}
        return f"{self.notify_url}/{self.token}", signed | {
            "msg_type": "text",
            "content": {"text": text},
        }


class WeCom(Robot):
    """`wecombot://KEY`: the key is the secret."""

    service_name = "WeCom"
    secure_protocol = "wecombot"
    notify_url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
    code = "errcode"

    def request(self, text: str, now: float) -> tuple[str, dict[str, Any]]:
        """Return the address and a text message of at most 2,048 bytes."""
        content = {"msgtype": "text", "text": {"content": _cut(text, 2048)}}
        return _with(self.notify_url, {"key": self.token}), content


def register() -> None:
    """Put the robots in the place of apprise's own."""
    manager = NotificationManager()
    for robot in (DingTalk, Feishu, WeCom):
        manager.add(robot, schemas=robot.secure_protocol, force=True)


def _sign(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


def _with(url: str, query: dict[str, str]) -> str:
    return str(requests.Request("POST", url, params=query).prepare().url)


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")
