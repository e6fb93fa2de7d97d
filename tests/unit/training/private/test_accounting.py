"""What noisy steps spend, against Opacus and against what is known in closed form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opacus.accountants.analysis import rdp

from trustplane.training.private.accounting import ORDERS, noise_for, renyi, spent_by_steps
from trustplane.values.errors import BadInput


@given(st.floats(0.5, 20), st.floats(1e-4, 0.9), st.sampled_from(ORDERS))
def test_the_divergence_is_that_of_opacus(noise, rate, order) -> None:
    theirs = float(rdp.compute_rdp(q=rate, noise_multiplier=noise, steps=1, orders=[order])[0])
    assert renyi(order, noise, rate) == pytest.approx(theirs, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("noise", "rate", "steps"), [(1.0, 0.01, 1000), (1.5, 0.05, 200), (4.0, 0.5, 100)])
def test_epsilon_is_that_of_opacus_to_two_in_a_hundred(noise, rate, steps) -> None:
    orders = [1 + x / 10 for x in range(1, 100)] + list(range(12, 257))
    divergences = rdp.compute_rdp(q=rate, noise_multiplier=noise, steps=steps, orders=orders)
    theirs, _ = rdp.get_privacy_spent(orders=orders, rdp=divergences, delta=1e-5)
    ours = spent_by_steps(noise, rate, steps, 1e-5)
    # Opacus tries orders that are not whole too, so ours is never below
    assert theirs * 0.999999 <= ours <= theirs * 1.02


def test_without_sampling_it_is_the_gaussian_mechanism() -> None:
    assert renyi(8, 2.0, 1.0) == 1.0
    assert renyi(8, 2.0, 1 - 1e-9) == pytest.approx(1.0, rel=1e-6)


@given(st.floats(0.6, 10), st.floats(0.001, 0.5), st.integers(1, 5000))
def test_more_noise_fewer_steps_and_smaller_samples_spend_no_more(noise, rate, steps) -> None:
    spent = spent_by_steps(noise, rate, steps, 1e-5)
    assert spent_by_steps(noise * 1.1, rate, steps, 1e-5) <= spent + 1e-9
    assert spent_by_steps(noise, rate, steps + 1, 1e-5) >= spent - 1e-9
    assert spent_by_steps(noise, rate * 0.9, steps, 1e-5) <= spent + 1e-9


@pytest.mark.parametrize("epsilon", [0.5, 3.0])
def test_the_noise_found_is_enough_and_hardly_more(epsilon) -> None:
    noise = noise_for(epsilon, 1e-6, 0.02, 500)
    assert spent_by_steps(noise, 0.02, 500, 1e-6) <= epsilon < spent_by_steps(noise * 0.995, 0.02, 500, 1e-6)


def test_where_no_noise_is_enough_it_says_so() -> None:
    # the greatest order tried leaves log(1/delta) / 255
    with pytest.raises(BadInput) as caught:
        noise_for(0.01, math.exp(-100), 0.5, 10)
    assert caught.value.code == "TP-RUN-053"
