"""Stats: what a count out of a few tries says about all the tries that were not made."""

from math import sqrt


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Unlike the usual "share ± margin" it never leaves [0, 1], and it says something where all tries went one way.
    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    Args:
        successes: of the tries, 0 to `n`.
        n: tries; of none nothing is known, which is (0, 1).
        z: standard deviations of a normal distribution; 1.96 for 95 %.

    Returns:
        The interval's ends, in [0, 1].

    Raises:
        ValueError: there are fewer than 0 successes, or more than tries.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    middle = share + z * z / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max((middle - reach) / scale, 0.0), min((middle + reach) / scale, 1.0)
