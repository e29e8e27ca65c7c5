"""Where the constructive schedule is not the shortest."""

from tripleo_update_plugin.planner.problem.problem import Group, Problem
from tripleo_update_plugin.planner.search import shortest
from tripleo_update_plugin.planner.search.bounds import Chains
from tripleo_update_plugin.planner.search.cp_sat import Finding, SolverMissing, search
from tripleo_update_plugin.planner.search.schedule import makespan, schedule


def problem(groups, capacities, **more):
    return Problem(
        groups=tuple(
            Group(
                label=f"R{i}", nodes=tuple(f"r{i}-{k}" for k in range(count)), budgets=budgets, before=before, seconds=s
            )
            for i, (count, budgets, before, s) in enumerate(groups)
        ),
        capacities=capacities,
        reasons=tuple(f"budget {i}" for i in range(len(capacities))),
        **more,
    )


def built(problem):
    return schedule(problem, Chains(problem, problem.lengths).tails)


NONE = frozenset()

#: Beginning a long one as soon as there is room for it keeps the last ones waiting.
TRICKY = problem([(3, (0,), NONE, 2), (2, (0,), NONE, 3)], (2,))


def test_a_shorter_schedule_is_found_and_proved():
    slots = built(TRICKY)
    found = shortest.solve(TRICKY, 10)
    assert makespan(TRICKY, slots) > makespan(TRICKY, list(found.slots)) == 6
    assert (found.makespan_bound, found.proved, found.warning) == (6, "bound", "")


def test_no_time_no_search():
    found = shortest.solve(TRICKY, 0)
    assert (found.proved, found.warning) == ("no", "")


def no_library(*_):
    raise SolverMissing


def test_without_the_library_the_plan_says_how_to_get_it():
    found = shortest.solve(TRICKY, 10, no_library)
    assert found.proved == "no"
    assert "tripleo-update-plugin[exact]" in found.warning


def test_without_the_library_nothing_is_said_where_it_is_not_needed():
    found = shortest.solve(problem([(3, (0,), NONE, 2)], (1,)), 10, no_library)
    assert (found.proved, found.warning) == ("bound", "")


def test_too_large_a_model_is_not_built():
    large = problem([(40000, (0,), NONE, 2), (1, (), NONE, 1)], (1,))
    assert search(large, 70000, 80000, 10) == Finding((), 70000)


def test_no_answer_in_time_leaves_the_plan_unproved():
    found = shortest.solve(TRICKY, 1e-9)
    assert (makespan(TRICKY, list(found.slots)), found.proved) == (makespan(TRICKY, built(TRICKY)), "no")
