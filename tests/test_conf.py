"""The options of executors and commands."""

from oslo_config import cfg

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.rules import deadlines


def test_options_are_registered_once_and_listed():
    conf = cfg.ConfigOpts()
    assert options.register(conf).forks == options.register(conf).forks == 25
    [(group, listed)] = options.list_opts()
    assert group == "tripleo_update" and {"work_dir", "auth_type", "insecure"} <= {option.dest for option in listed}


def test_deadlines_count_with_as_many_nodes_at_a_time_as_executors_take():
    assert options.load()[options.GROUP].forks == deadlines.AT_A_TIME
