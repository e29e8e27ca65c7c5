import pytest

from tripleo_update_plugin.rules.budget import Count, Percent, Rule, parse_budget


@pytest.mark.parametrize(
    ("rule", "by_replicas"),
    [
        ("quorum", {1: 0, 2: 0, 3: 1, 4: 1, 5: 2}),
        ("half", {1: 0, 2: 1, 3: 1, 4: 2, 5: 2}),
        ("all-but-one", {1: 0, 2: 1, 5: 4}),
        ("agents", {1: 1, 2: 1, 3: 1, 10: 5, 50: 25, 500: 250}),
        ("unlimited", {1: 1, 7: 7}),
    ],
)
def test_rules(rule, by_replicas):
    assert {n: Rule(rule).of(n) for n in by_replicas} == by_replicas


def test_a_percentage_rounds_down_but_never_below_one():
    assert [Percent(25).of(n) for n in (1, 3, 4, 7, 8)] == [1, 1, 1, 1, 2]


def test_a_count_is_never_more_than_there_are():
    assert (Count(25).of(3), Count(0).of(3)) == (3, 0)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        (1, Count(1)),
        (0, Count(0)),
        ("25%", Percent(25)),
        (" 25 % ", Percent(25)),
        ("100%", Percent(100)),
        ("quorum", Rule("quorum")),
    ],
)
def test_parse(text, budget):
    assert parse_budget(text) == budget


@pytest.mark.parametrize("value", [-1, True, 1.5, "0%", "101%", "1", "%", "-5%", "most", None, [1]])
def test_anything_else_is_refused_by_name(value):
    with pytest.raises(ValueError) as refusal:
        parse_budget(value)
    assert repr(value) in str(refusal.value) and "quorum" in str(refusal.value)


@pytest.mark.parametrize("value", [1, "25%", "quorum"])
def test_a_budget_reads_as_it_was_written(value):
    assert str(parse_budget(value)) == str(value)
