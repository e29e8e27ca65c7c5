"""The heaviest antichain, against trying every set."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tripleo_update_plugin.plan.most_at_once import most_together


@st.composite
def partly_ordered(draw):
    """Weights, and a transitive order as bit sets."""
    weights = draw(st.lists(st.integers(0, 4), min_size=1, max_size=7))
    before = [0] * len(weights)
    for i in range(len(weights)):
        for j in draw(st.sets(st.integers(0, i - 1))) if i else ():
            before[i] |= before[j] | 1 << j
    return weights, before


def by_trying(weights, before):
    sets = (s for n in range(len(weights) + 1) for s in combinations(range(len(weights)), n))
    return max(sum(weights[i] for i in s) for s in sets if not any(before[i] >> j & 1 for i in s for j in s))


@given(partly_ordered())
def test_it_is_the_heaviest_set_without_order(order):
    assert most_together(*order) == by_trying(*order)


@given(partly_ordered(), st.integers(0, 12))
def test_what_is_enough_is_not_worked_out_further(order, enough):
    found, truth = most_together(*order, enough), by_trying(*order)
    assert found == truth or truth <= found <= enough


def test_one_beside_two_in_a_row():
    assert most_together([2, 3, 1], [0, 0b001, 0]) == 4
