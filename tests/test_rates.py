"""Rates: a bucket worked by hand, and whose address is believed."""

import pytest

from llm_demo import rates
from llm_demo.rates import BEHIND_A_PROXY, Rate, address_of


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_minutes_worth_may_come_at_once_and_then_one_at_a_time():
    clock = Clock()
    rate = Rate(6, clock)

    assert [rate.take("a") for _ in range(6)] == [0.0] * 6
    assert rate.take("a") == 10.0  # six a minute: the next in ten seconds
    clock.seconds = 9.0
    assert rate.take("a") == pytest.approx(1.0)
    clock.seconds = 10.0
    assert rate.take("a") == 0.0
    assert rate.take("a") == 10.0


def test_nobody_pays_for_anybody_else():
    rate = Rate(1, Clock())

    assert (rate.take("a"), rate.take("b")) == (0.0, 0.0)
    assert rate.take("a") == 60.0


def test_a_bucket_never_holds_more_than_a_minutes_worth():
    clock = Clock()
    rate = Rate(2, clock)
    rate.take("a")
    clock.seconds = 10_000.0

    assert [rate.take("a") for _ in range(3)] == [0.0, 0.0, 30.0]


def test_only_so_many_keys_are_remembered(monkeypatch):
    monkeypatch.setattr(rates, "KNOWN", 2)
    rate = Rate(1, Clock())
    for key in ("a", "b", "a", "c"):  # of a and b, b was away longer
        rate.take(key)

    assert rate.take("a") == 60.0
    assert rate.take("b") == 0.0


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("9.9.9.9", None, 0, "9.9.9.9"),
        ("9.9.9.9", None, 1, "9.9.9.9"),
        ("9.9.9.9", "1.1.1.1", 0, BEHIND_A_PROXY),  # a header that nobody vouches for
        ("9.9.9.9", "1.1.1.1", 1, "1.1.1.1"),
        ("9.9.9.9", "6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),  # the first is what the visitor wrote
        ("9.9.9.9", "6.6.6.6, 1.1.1.1, 2.2.2.2", 2, "1.1.1.1"),
        ("9.9.9.9", "1.1.1.1", 2, BEHIND_A_PROXY),
        ("9.9.9.9", "<script>", 1, BEHIND_A_PROXY),
        (None, None, 0, BEHIND_A_PROXY),
        ("2001:db8:1:2:3:4:5:6", None, 0, "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", None, 0, "1.2.3.4"),
    ],
)
def test_a_header_is_believed_as_far_as_the_operator_vouches_for_it(peer, forwarded, proxies, address):
    assert address_of(peer, forwarded, proxies) == address
