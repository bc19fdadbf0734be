"""What a proof says of keys, which is published."""

from __future__ import annotations

from pipelines.proof import named


def test_keys_of_persons_are_counted_and_not_named() -> None:
    keys = ["c12", "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "zhang.san"]
    assert named("missing here", keys, of_party=True) == "3 missing here: c12, …"
    assert named("missing here", keys[1:], of_party=True) == "2 missing here: …"
    assert named("missing here", keys) == f"3 missing here: {', '.join(keys)}"
    assert named("missing here", [str(n) for n in range(6)]) == "6 missing here: 0, 1, 2, 3, 4, …"
    assert named("missing here", [], of_party=True) == ""
