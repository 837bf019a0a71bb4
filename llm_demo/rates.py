"""Rates: how often one visitor, or one address, may ask for something."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

KNOWN = 10_000  # keys remembered; whoever was away longest is forgotten, and begins anew
BEHIND_A_PROXY = "proxy"  # the address of everybody whose own cannot be known


class Rate:
    """A token bucket a key: a minute's worth at once, then one token each `60 / per_minute` seconds.

    Any thread may ask.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            per_minute: tokens a minute, and as many in a full bucket.
            clock: tells the seconds that have passed since whenever.
        """
        self._full = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> tokens left, and when
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Take a token and return 0; where there is none, return the seconds until there will be one."""
        now, per_second = self._clock(), self._full / 60
        with self._lock:
            left, seen = self._buckets.pop(key, (self._full, now))
            left = min(left + (now - seen) * per_second, self._full)
            taken = left >= 1
            self._buckets[key] = (left - taken, now)
            if len(self._buckets) > KNOWN:
                self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / per_second


def address_of(peer: str | None, forwarded: str | None, proxies: int) -> str:
    """Return whose address a request counts for.

    Anybody can write a header `X-Forwarded-For`, and each proxy adds at its end the address that it heard. So of the
    header only as many entries are believed, from the right, as there are proxies that an operator vouches for.

    Args:
        peer: the address of the connection.
        forwarded: the header, all of its lines joined with commas; None where there is none.
        proxies: how many the operator has in front of the app.

    Returns:
        An IPv4 address; of an IPv6 one the network of 64 bits, which one household has to itself; or
        `BEHIND_A_PROXY`.
    """
    if not forwarded:
        return _network(peer or BEHIND_A_PROXY)
    heard = [entry.strip() for entry in forwarded.split(",")]
    return _network(heard[-proxies]) if 0 < proxies <= len(heard) else BEHIND_A_PROXY


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return BEHIND_A_PROXY
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)))
