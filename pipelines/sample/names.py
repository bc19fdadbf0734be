"""Names, numbers and addresses of a company that does not exist."""

from __future__ import annotations

import random

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞红玲建国文辉力波斌宇浩凯健俊帆雪琳"
    "晨欣怡佳颖倩梦婷"
)
TRADES = (
    "机械设备", "电子科技", "贸易", "医疗器械", "食品", "建材", "纺织", "信息技术", "物流",
    "化工", "汽车零部件", "包装制品", "五金工具", "环保工程", "教育咨询", "服饰",
)  # fmt: skip
BRANDS = (
    "远达", "恒信", "金桥", "瑞丰", "华盛", "天元", "博雅", "众诚", "万通", "东升", "利民", "嘉禾",
    "永安", "新航", "三和", "宏图", "正泰源", "海晟", "明德", "卓越",
)  # fmt: skip
CITIES = (
    ("上海市", "上海市", "浦东新区", "021", "310115", "200120"),
    ("北京市", "北京市", "海淀区", "010", "110108", "100080"),
    ("广东省", "深圳市", "南山区", "0755", "440305", "518052"),
    ("广东省", "广州市", "天河区", "020", "440106", "510630"),
    ("浙江省", "杭州市", "余杭区", "0571", "330110", "311100"),
    ("浙江省", "宁波市", "鄞州区", "0574", "330212", "315100"),
    ("江苏省", "苏州市", "工业园区", "0512", "320571", "215021"),
    ("江苏省", "南京市", "江宁区", "025", "320115", "211100"),
    ("四川省", "成都市", "武侯区", "028", "510107", "610041"),
    ("湖北省", "武汉市", "洪山区", "027", "420111", "430070"),
    ("山东省", "青岛市", "崂山区", "0532", "370212", "266061"),
    ("福建省", "厦门市", "思明区", "0592", "350203", "361001"),
)
STREETS = ("人民路", "中山路", "科技园路", "解放大道", "创业街", "长江路", "新华路", "建设二路")
MOBILE = ("133", "135", "136", "138", "139", "150", "151", "158", "159", "177", "186", "188", "199")
FOREIGN = (
    ("Portland", "Oregon", "US", "97201", "+1503555"),
    ("Austin", "Texas", "US", "73301", "+1512555"),
    ("Manchester", "England", "GB", "M1 1AE", "+44161555"),
    ("Hamburg", "Hamburg", "DE", "20095", "+4940555"),
    ("Singapore", "Singapore", "SG", "018956", "+65655"),
)
_FIRST = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jack")
_LAST = ("Ames", "Berg", "Cole", "Dunn", "Ellis", "Frost", "Gray", "Holm", "Irwin", "Jones")
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015 leaves out I, O, S, V, Z
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def person(dice: random.Random) -> str:
    """Return the name of a person."""
    given = dice.choice(GIVEN)
    return dice.choice(SURNAMES) + given + (dice.choice(GIVEN) if dice.random() < 0.7 else "")


def company(dice: random.Random, city: str) -> str:
    """Return the registered name of a company in a city."""
    form = "股份有限公司" if dice.random() < 0.1 else "有限公司"
    return city.removesuffix("市") + dice.choice(BRANDS) + dice.choice(TRADES) + form


def foreigner(number: int) -> str:
    """Return the name of a person abroad; below 100 each number has its own."""
    return f"{_FIRST[number % 10]} {_LAST[number // 10 % 10]}"


def shortened(name: str) -> str:
    """Return a company's name as salesmen type it: without its legal form."""
    return name.removesuffix("有限公司").removesuffix("股份")


def landline(dice: random.Random, area: str, number: int) -> str:
    """Return a number of a switchboard, unlike all others of the story."""
    return f"{area}-{dice.randrange(2, 9)}{dice.randrange(100, 1000)}{number:04d}"


def mobile(dice: random.Random, number: int) -> str:
    """Return a mobile number; `number` below 10,000 makes it unlike all others of the story."""
    return f"{dice.choice(MOBILE)}{dice.randrange(1000, 10_000)}{number:04d}"


def uscc(dice: random.Random, adcode: str) -> str:
    """Return a unified social credit code with a right check sign (GB 32100-2015)."""
    body = "91" + adcode + "".join(dice.choice(_SIGNS) for _ in range(9))
    total = sum(_SIGNS.index(sign) * weight for sign, weight in zip(body, _WEIGHTS, strict=True))
    return body + _SIGNS[(31 - total % 31) % 31]


def barcode(number: int) -> str:
    """Return a GTIN-13 of the range 690 to 699 with its check digit."""
    body = f"6901{number:08d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)
