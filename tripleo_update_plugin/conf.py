"""Options of the Mistral actions: the group ``[tripleo_update]`` of the executor's own configuration file."""

from typing import Any

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = "tripleo_update"

OPTIONS = (
    cfg.StrOpt(
        "work_dir",
        default="/var/lib/mistral/tripleo-update",
        help="Folder of the jobs, their results and their logs. Made private (0700); one per undercloud.",
    ),
    cfg.StrOpt("ssh_user", default="tripleo-admin", help="User that Ansible logs in to the nodes as."),
    cfg.StrOpt("ssh_key", help="Private key of that user; without it ssh decides."),
    cfg.IntOpt("forks", default=25, min=1, help="Nodes that one Ansible run talks to at the same time."),
    cfg.IntOpt(
        "max_jobs",
        default=8,
        min=0,
        help="Jobs at work at the same time on this machine; 0: no limit. Batches wait before they begin, phases of "
        "batches that have begun do not. A job takes about 100 MB.",
    ),
    cfg.IntOpt(
        "max_forks",
        default=200,
        min=0,
        help="Forks of all jobs together; 0: no limit. As many jobs as may be at work share them, and none has more "
        "than 'forks'. A fork takes up to 20 MB.",
    ),
    cfg.StrOpt(
        "ansible_playbook",
        help="The ansible-playbook to run, e.g. of an environment of its own. "
        "Default: the one beside the Python interpreter, else the one in PATH.",
    ),
    cfg.StrOpt("ansible_config", help="An ansible.cfg for every run; without it, settings like TripleO's."),
    cfg.StrOpt("inventory", help="An inventory read after the generated one: its variables win."),
    cfg.ListOpt("services", default=[], help="Folders of service profiles that replace or add to the built-in."),
    cfg.IntOpt("gate_timeout", default=1800, min=0, help="Seconds a gate waits for the nodes to become healthy."),
    cfg.IntOpt("gate_delay", default=5, min=1, help="Seconds between two looks of a gate."),
    cfg.IntOpt("report_timeout", default=3600, min=1, help="Seconds to go on telling Mistral a result, if it is away."),
    cfg.StrOpt(
        "log_level",
        default="INFO",
        choices=["DEBUG", "INFO", "WARNING", "ERROR"],
        help="How much the logs of jobs tell: INFO has a line for each task, DEBUG one for each node as well.",
    ),
    cfg.IntOpt(
        "patience", default=600, min=0, help="Seconds that a phase waits for Heat or Mistral if one of them is away."
    ),
    cfg.StrOpt("undercloud", help="Name of this undercloud in the records on nodes. Default: the name of the machine."),
    cfg.StrOpt("probe_cafile", help="Certificates that probes trust; without it, those of the system."),
    cfg.StrOpt(
        "probe_credentials",
        help="A YAML file (0600) {sql: {user, password}, amqp: {user, password, vhost}}: with it probes log in, "
        "without it they read the greeting.",
    ),
    cfg.BoolOpt("probe_commands", default=False, help="Whether a policy's probes may run commands, as this user."),
    cfg.StrOpt(
        "probe_detours",
        help="A JSON file {address or address:port: the same}: where probes connect to instead, e.g. where virtual "
        "addresses are reached through NAT.",
    ),
    cfg.StrOpt("heat_endpoint", help="URL of Heat (with the project), instead of the one in the service catalogue."),
    cfg.StrOpt("mistral_endpoint", help="URL of Mistral (with /v2), instead of the one in the service catalogue."),
    cfg.StrOpt("region_name", help="Region to look endpoints up in."),
    cfg.StrOpt("interface", default="public", help="Kind of endpoint to look up: public, internal or admin."),
)


def register(conf: Any) -> Any:
    """Make *conf* know the options, keystoneauth's among them; returns the group's values. Safe to repeat."""
    conf.register_opts(OPTIONS, group=GROUP)
    loading.register_auth_conf_options(conf, GROUP)
    loading.register_session_conf_options(conf, GROUP)
    return conf[GROUP]


def list_opts() -> list[tuple[str, list[Any]]]:
    """For oslo-config-generator."""
    return [
        (GROUP, [*OPTIONS, *loading.get_auth_common_conf_options(), *loading.get_session_conf_options()]),
    ]


def load(files: tuple[str, ...] = (), folders: tuple[str, ...] = ()) -> Any:
    """A configuration of its own, read from configuration *files* and *folders* and from nowhere else."""
    conf = cfg.ConfigOpts()
    register(conf)
    arguments = [f"--config-file={path}" for path in files] + [f"--config-dir={path}" for path in folders]
    conf(args=arguments, project="mistral", default_config_files=[], default_config_dirs=[])
    return conf
