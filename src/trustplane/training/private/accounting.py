"""What steps of noisy gradients spend: Rényi differential privacy of the sampled Gaussian mechanism (Mironov, Talwar and Zhang 2019)."""

import math

from trustplane.values.errors import BadInput

_MOST_NOISE = 1e4
_CHORDS = 12  # below so many, orders between whole ones are worth a try
ORDERS = (*range(2, 65), 72, 80, 96, 112, 128, 160, 192, 224, 256)


def spent_by_steps(noise: float, rate: float, steps: int, delta: float) -> float:
    """The epsilon of ``steps`` Gaussian steps on Poisson samples at ``delta``, for tables that differ by one row more or less.

    ``noise`` is the standard deviation of the noise in units of the clipping norm, ``rate`` the probability of a row to be in a step's sample.
    """
    grown = {1: 0.0} | {order: (order - 1) * renyi(order, noise, rate) for order in ORDERS}
    tried = [(float(order), value / (order - 1)) for order, value in grown.items() if order > 1]
    # (order - 1) times the divergence is convex in the order (van Erven and Harremoes 2014, corollary 2), so a chord lies above it
    for low in range(1, _CHORDS):
        for tenth in range(1, 10):
            order, part = low + tenth / 10, tenth / 10
            tried.append((order, ((1 - part) * grown[low] + part * grown[low + 1]) / (order - 1)))
    return min(_converted(order, steps * divergence, delta) for order, divergence in tried)


def noise_for(epsilon: float, delta: float, rate: float, steps: int) -> float:
    """The least noise, to a thousandth, with which so many steps spend at most ``epsilon``; raise :class:`BadInput` (TP-RUN-053) where none does."""
    low, high = 0.0, 1.0
    while spent_by_steps(high, rate, steps, delta) > epsilon:
        low, high = high, 2 * high
        if high > _MOST_NOISE:
            raise BadInput(
                "TP-RUN-053", f"no noise keeps {steps:,} steps within epsilon {epsilon:g} at delta {delta:g}"
            )
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if spent_by_steps(middle, rate, steps, delta) <= epsilon else (middle, high)
    return high


def renyi(order: int, noise: float, rate: float) -> float:
    """The Rényi divergence of whole ``order`` of one step (section 3.3, the binomial sum), in nats."""
    if rate >= 1:
        return order / (2 * noise**2)
    terms = [
        math.log(math.comb(order, k))
        + (order - k) * math.log1p(-rate)
        + k * math.log(rate)
        + k * (k - 1) / (2 * noise**2)
        for k in range(order + 1)
    ]
    most = max(terms)
    return max((most + math.log(sum(math.exp(term - most) for term in terms))) / (order - 1), 0.0)


def _converted(order: float, divergence: float, delta: float) -> float:
    """Rényi to (epsilon, delta): Canonne, Kamath and Steinke (2020), proposition 12."""
    return max(divergence + math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1), 0.0)
