"""The options of executors and commands."""

from oslo_config import cfg

from tripleo_update_plugin import conf as options


def test_options_are_registered_once_and_listed():
    conf = cfg.ConfigOpts()
    assert options.register(conf).forks == options.register(conf).forks == 25
    [(group, listed)] = options.list_opts()
    assert group == "tripleo_update" and {"work_dir", "auth_type", "insecure"} <= {option.dest for option in listed}
