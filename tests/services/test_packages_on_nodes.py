"""The package flow as nodes see it: real Ansible, stand-in commands that note when they began and ended."""

import sys

import pytest
import yaml

from tripleo_update_plugin.adapters import ansible, extensions
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.playbooks import packages

CATALOGUE = extensions.load_catalogue()

#: Notes "node, begin or end, command". Every unit runs; after an update there are new packages.
STAND_IN = r"""#!/bin/sh
node=${0%/bin/*} me="${0##*/} $*"
note() { echo "${node##*/}|$1|$me" >>"${node%/*}/notes"; }
case "$me" in
    "systemctl is-active"*) shift; for unit; do echo active; done; exit ;;
    "rpm -qa"*) cat "$node/packages"; exit ;;
    "rpm -ql"*) shift; for name; do echo "/usr/lib/systemd/system/$name.service"; done; exit ;;
    "yum -q check-update") exit 100 ;;
    "crm_mon"*) echo "<node name=\"${node##*/}\" id=\"1\" online=\"true\"/>"; exit ;;
esac
note begin
case "$me" in
    "yum"*) sed 's/ 1$/ 2/' "$node/packages" >"$node/new" && mv "$node/new" "$node/packages" ;;
    "systemctl restart"* | "pcs"*) sleep 0.2 ;;
    "clustercheck"*)
        left=$(cat "$node/unsynced" 2>/dev/null || echo 0)
        echo $((left - 1)) >"$node/unsynced"
        [ "$left" -le 0 ] || exit 1 ;;
esac
note end
"""
NODES = ("ctl-0", "ctl-1")
COMMANDS = ("clustercheck", "crm_mon", "crm_resource", "pcs", "rpm", "systemctl", "yum")

#: What systemd runs, {unit: service}, in the order of the services. Each has a package of its unit's name.
UNITS = {"httpd": "keystone", "neutron-server": "neutron_api", "openstack-nova-conductor": "nova_conductor"}


class Site:
    """Two controllers of one architecture, in a cluster with its database."""

    def __init__(self, folder, architecture):
        self.folder = folder
        script = folder / "stand-in"
        script.write_text(STAND_IN)
        script.chmod(0o755)
        services = frozenset({"pacemaker", "mysql", *UNITS.values()})
        nodes = [Node(name=name, role="C", services=services) for name in NODES]
        runners = {**dict.fromkeys(("pacemaker", *UNITS.values()), "systemd"), "mysql": "pacemaker"}
        self.overcloud = Overcloud(
            stack="o", release="newton", architecture=architecture, packaging="packages", digest="d",
            nodes=tuple(nodes), runners={"C": runners}, has_update_tasks=False,
        )  # fmt: skip
        for node in nodes:
            (folder / node.name / "bin").mkdir(parents=True)
            for command in COMMANDS:
                (folder / node.name / "bin" / command).symlink_to(script)
            self.puts(node.name, "packages", "".join(f"{unit} 1\n" for unit in UNITS))

    def puts(self, node, name, text):
        (self.folder / node / name).write_text(text)

    def update(self, *nodes, retries=None):
        """{node: error}, of those that failed."""
        phase = packages.update(self.overcloud, CATALOGUE, nodes, "m")
        for task in (task for play in phase.plays for each in play["tasks"] for task in (each, *each.get("block", ()))):
            task |= {"delay": 0, "retries": retries or task["retries"]} if "until" in task else {}
        plays = [{**play, "environment": {"PATH": "{{ bin }}:/usr/bin:/bin"}} for play in phase.plays]
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts = {
            node.name: {
                **here, "bin": str(self.folder / node.name / "bin"),
                "tripleo_update_marks": str(self.folder / node.name / "marks"),
            }
            for node in self.overcloud.nodes
        }  # fmt: skip
        (self.folder / "inventory.yaml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        outcome, _ = ansible.run(
            ansible.write_playbook(plays, self.folder / "plays.yaml"), self.folder / "inventory.yaml", phase.hosts,
            ansible.Settings(binary=ansible.find_ansible()), timeout=300, silence=300, cancelled=lambda: False,
        )  # fmt: skip
        return {name: node.error for name, node in outcome.nodes.items() if node.error}

    @property
    def notes(self):
        """[(node, begin or end, command)]"""
        return [tuple(line.split("|", 2)) for line in (self.folder / "notes").read_text().splitlines()]

    def done(self, node):
        return [command for name, what, command in self.notes if name == node and what == "end"]

    def is_marked(self, node):
        return (self.folder / node / "marks" / "m.done").exists()


@pytest.fixture
def site(tmp_path):
    return lambda architecture="pacemaker-core": Site(tmp_path, architecture)


def at_once(notes, command):
    """The most nodes on which a command that begins like that was under way at the same time."""
    going, most = set(), 0
    for node, what, line in notes:
        if line.startswith(command):
            going = going | {node} if what == "begin" else going - {node}
            most = max(most, len(going))
    return most


def test_members_leave_and_restart_what_is_new_one_node_at_a_time(site):
    made = site()
    made.puts("ctl-1", "packages", "httpd 0\npython-neutron 1\nopenstack-nova-conductor 0\n")
    assert made.update(*NODES) == {}
    restarts = {name: [line for line in made.done(name) if "restart" in line] for name in NODES}
    assert restarts == {
        "ctl-0": [f"systemctl restart {unit}" for unit in UNITS],
        "ctl-1": ["systemctl restart neutron-server"],
    }
    assert at_once(made.notes, "pcs cluster stop") == at_once(made.notes, "systemctl restart") == 1
    assert all(made.is_marked(name) for name in NODES)


def test_in_the_old_architecture_units_stop_in_reverse_and_the_database_is_waited_for(site):
    made = site("pacemaker")
    made.puts("ctl-0", "unsynced", "2")
    assert made.update("ctl-0") == {}
    assert made.done("ctl-0") == [
        "pcs cluster stop",
        f"systemctl stop {' '.join(reversed(UNITS))}",
        "yum -y update",
        "pcs cluster start",
        f"systemctl start {' '.join(UNITS)}",
        "clustercheck ",
        "crm_resource --wait",
    ]
    assert made.notes.count(("ctl-0", "begin", "clustercheck ")) == 3
    assert made.is_marked("ctl-0")


def test_a_node_whose_database_does_not_sync_is_not_updated(site):
    made = site()
    made.puts("ctl-0", "unsynced", "100")
    errors = made.update("ctl-0", retries=2)
    assert "The database of the node is in sync" in errors["ctl-0"]
    assert "crm_resource --wait" not in made.done("ctl-0")
    assert not made.is_marked("ctl-0")
