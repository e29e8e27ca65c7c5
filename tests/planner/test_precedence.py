from tripleo_update_plugin.planner.problem.precedence import precedence_of, ranked


def groups(*services):
    return [frozenset(names.split()) for names in services]


def test_a_group_comes_before_those_its_services_come_before():
    found = precedence_of(groups("db", "api", "compute"), [("db", "api"), ("api", "compute")])
    assert found.before == {0: frozenset(), 1: {0}, 2: {1}}
    assert found.unmet == {}


def test_groups_that_both_have_both_services_are_not_ordered():
    found = precedence_of(groups("db api", "db api x"), [("db", "api")])
    assert found.before == {0: frozenset(), 1: frozenset()}
    assert found.unmet == {}


def test_a_group_with_both_comes_after_one_with_the_first_only_and_before_one_with_the_second_only():
    found = precedence_of(groups("db api", "db", "api"), [("db", "api")])
    assert found.before == {0: {1}, 1: frozenset(), 2: {0, 1}}


def test_two_groups_that_want_to_be_first_cannot_both_be():
    found = precedence_of(groups("db x", "api y"), [("db", "api"), ("y", "x")])
    assert len(found.unmet) == 1
    assert sorted(map(len, found.before.values())) == [0, 1]


def test_the_pair_that_the_fewest_orders_ask_for_gives_way():
    orders = [("y", "x"), ("db", "api"), ("bus", "api")]
    found = precedence_of(groups("db bus x", "api y"), orders)
    assert found.unmet == {("y", "x"): ((1, 0),)}
    assert found.before == {0: frozenset(), 1: {0}}


def test_a_long_circle_is_opened_in_one_place():
    found = precedence_of(groups("a z", "b", "c"), [("a", "b"), ("b", "c"), ("c", "z")])
    assert len(found.unmet) == 1
    assert sum(map(len, found.before.values())) == 2


def test_two_circles_are_both_opened():
    found = precedence_of(groups("a d", "b c", "e h", "f g"), [("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")])
    assert len(found.unmet) == 2
    assert len(ranked(found.before)) == 4


def test_an_order_of_services_nobody_has_changes_nothing():
    assert precedence_of(groups("a"), [("x", "y")]).before == {0: frozenset()}


def test_ranked_puts_every_group_after_those_before_it():
    assert ranked({0: frozenset({2}), 1: frozenset({0}), 2: frozenset()}) == [2, 0, 1]
