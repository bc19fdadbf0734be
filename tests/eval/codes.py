"""Identifiers of the generated sets: codes with check digits, telephone numbers, e-mail."""

from __future__ import annotations

from random import Random

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Characters of a 统一社会信用代码 (GB 32100-2015): no I, O, S, V, Z."""
_WEIGHTS = tuple(3**place % 31 for place in range(17))
_OFFICE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

_HEADS = ((130, 140), (147, 148), (150, 154), (155, 160), (166, 167), (175, 179), (180, 190),
          (191, 192), (195, 196), (198, 200))  # fmt: skip
MOBILE_HEADS = tuple(str(head) for first, last in _HEADS for head in range(first, last))
MAILS = ("qq.com", "qq.com", "qq.com", "163.com", "163.com", "126.com", "139.com", "foxmail.com",
         "sina.com", "outlook.com", "gmail.com")  # fmt: skip


def check_digit(first: str) -> str:
    """Return the 18th character of the code whose first 17 are given (GB 32100-2015, 5.2)."""
    total = sum(ALPHABET.index(one) * weight for one, weight in zip(first, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def uscc(rng: Random, region: str, sort: str) -> str:
    """Return a valid code: registered at market regulation (9), `sort` 1 company, 2 个体户."""
    office = "MA" + "".join(rng.choice(ALPHABET) for _ in range(6))
    if rng.random() < 0.35:  # registered before October 2015: the old number of eight digits
        office = "".join(rng.choice("0123456789") for _ in range(8))
    first = f"9{sort}{region}{office}{_office_digit(office)}"
    return first + check_digit(first)


def _office_digit(office: str) -> str:
    """Return the check digit of an organisation code (GB 11714-1997): letters count from A = 10."""
    total = sum(int(one, 36) * weight for one, weight in zip(office, _OFFICE_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def is_valid_uscc(code: str) -> bool:
    """Say whether a code has 18 known characters and its check digit."""
    known = len(code) == 18 and all(one in ALPHABET for one in code)
    return known and check_digit(code[:17]) == code[17]


def mistyped(rng: Random, code: str) -> str:
    """Return the code with one typing mistake; its check digit then always fails."""
    while True:
        place = rng.randrange(8, 17)
        if rng.random() < 0.5:
            wrong = code[:place] + rng.choice("0123456789") + code[place + 1 :]
        else:
            wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        if not is_valid_uscc(wrong):
            return wrong


def mobile(rng: Random) -> str:
    """Return a mobile number of 11 digits."""
    return rng.choice(MOBILE_HEADS) + f"{rng.randrange(10**8):08d}"


def landline(rng: Random, dial: str) -> str:
    """Return a number with its dialling code, `0571-88123456`."""
    return f"{dial}-{rng.choice('5678')}{rng.randrange(10**7):07d}"


def masked(number: str) -> str:
    """Return a mobile number as delivery services show it, `138****5678`."""
    return f"{number[:3]}****{number[-4:]}"


def written(rng: Random, number: str) -> str:
    """Return the number in one of the ways that people write it."""
    if "-" in number:
        dial, rest = number.split("-", 1)
        inner = rng.randrange(800, 899)
        forms = (f"{dial}{rest}", f"({dial}){rest}", f"{dial} {rest}", f"+86-{dial[1:]}-{rest}",
                 f"{number}-{inner}", f"{number}转{inner}")  # fmt: skip
        return rng.choice(forms)
    a, b, c = number[:3], number[3:7], number[7:]
    forms = (f"+86{number}", f"+86 {a} {b} {c}", f"86-{number}", f"{a}-{b}-{c}", f"{a} {b} {c}",
             f"0086{number}", f" {number}")  # fmt: skip
    return rng.choice(forms)


def personal_mail(rng: Random, pinyin: str) -> str:
    """Return an address of a free service, of digits or of the person's pinyin."""
    host = rng.choice(MAILS)
    if host == "qq.com" or not pinyin:
        return f"{rng.randrange(10**7, 4 * 10**9)}@{host}"
    return f"{pinyin}{rng.choice(('', '_', '.'))}{rng.randrange(10, 9999)}@{host}"
