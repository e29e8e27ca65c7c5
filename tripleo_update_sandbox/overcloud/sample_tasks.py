"""What an update does to a sandbox node: Ansible tasks and playbooks in the places where TripleO has its own.

The commands are the stand-ins of ``node.sh``. Every list of names goes to a command as arguments, never as text to a
shell.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from tripleo_update_sandbox.overcloud.sample_services import BUNDLES, CONTAINERS

Task = dict[str, Any]

UPDATE_STEPS = 6
POST_UPDATE_STEPS = 4

_CEPH_DAEMONS = frozenset(("ceph_mds", "ceph_mgr", "ceph_mon", "ceph_osd", "ceph_rgw"))


def _command(name: str, argv: Iterable[str], when: str, **more: Any) -> Task:
    return {"name": name, "command": {"argv": list(argv)}, "when": when, **more}


def _step(number: int) -> str:
    return f"step|int == {number}"


def image(container: str) -> str:
    return f"undercloud.ctlplane:8787/tripleo/openstack-{container.replace('_', '-')}:current-tripleo"


def has_pacemaker(services: Iterable[str]) -> bool:
    return "pacemaker" in services


def startable(services: Sequence[str]) -> list[str]:
    """Services that systemd keeps running: those in plain containers, and the Ceph daemons."""
    return [s for s in services if s not in BUNDLES and (s in CONTAINERS or s in _CEPH_DAEMONS)]


def update_tasks(services: Sequence[str]) -> list[Task]:
    """The role's ``update_tasks``: check, stop the cluster, fetch, update, start; in TripleO's steps."""
    own = startable(services)
    units = [f"tripleo_{s}.service" for s in own]
    images = [image(c) for s in services for c in CONTAINERS.get(s, (s,) if s in BUNDLES else ())]
    tasks: list[Task] = []
    if has_pacemaker(services):
        tasks += [
            _command(
                "Check pacemaker cluster running before the minor update",
                ["pcs", "cluster", "status"],
                _step(0),
                changed_when=False,
            ),
            _command("Stop pacemaker cluster", ["pcs", "cluster", "stop"], _step(1)),
            _command("Start pacemaker cluster", ["pcs", "cluster", "start"], _step(4)),
        ]
    if images:
        tasks.append(_command("Fetch container images", ["podman", "pull", *images], _step(2), changed_when=False))
    if units:
        tasks.append(_command("Stop the services of this role", ["systemctl", "stop", *units], _step(3)))
    tasks.append(_command("Update the services of this role", ["sandbox-update", *services], _step(3)))
    if units:
        tasks.append(_command("Start the services of this role", ["systemctl", "start", *units], _step(5)))
    return tasks


def bundle_update_tasks(service: str) -> list[Task]:
    """The ``update_tasks`` of a bundle by itself: fetch its image, and give it the tag that the bundle runs."""
    return [
        _command("Fetch the image of the bundle", ["podman", "pull", image(service)], _step(2), changed_when=False),
        _command("Give it the tag of the bundle", ["sandbox-update", service], _step(2)),
    ]


def post_update_tasks(services: Sequence[str]) -> list[Task]:
    """The role's ``post_update_tasks``: wait until what was started is whole again."""
    waits = []
    patience = {"changed_when": False, "register": "answer", "until": "answer.rc == 0", "retries": 30, "delay": 1}
    # systemctl is content with one active unit of many.
    all_active = patience | {"until": "answer.stdout_lines | difference(['active']) == []"}
    if has_pacemaker(services):
        waits.append(_command("Wait for the cluster to settle", ["crm_resource", "--wait"], _step(1), **patience))
    if "mysql" in services:
        waits.append(_command("Wait for galera to be synced", ["clustercheck"], _step(2), **patience))
    if units := [f"tripleo_{s}.service" for s in startable(services)]:
        waits.append(_command("Wait for the services", ["systemctl", "is-active", *units], _step(3), **all_active))
    return waits


_HEAD = """\
- import_playbook: common_deploy_steps_playbooks.yaml
  vars:
    deploy_source_host: "Undercloud"
    deploy_target_host: "{stack}"
"""

_ROLE_PLAY = """\
- hosts: {role}
  name: Run update
  become: true
  serial: "{{{{ update_serial | default({serial}) }}}}"
  gather_facts: "{{{{ gather_facts | default(false) }}}}"
  any_errors_fatal: true
  vars:
    bootstrap_server_id: {bootstrap}
    container_cli: podman
    tripleo_minor_update: true
  tasks:
"""

_IMPORT = """\
    - import_tasks: "{role}/{kind}_step{step}.yaml"
      vars:
        step: "{step}"
"""

#: As in the overcloud's own deploy tasks: by which role its containers are started, and how.
_START = """\
- name: Per step starting of the containers using tripleo-ansible
  become: true
  block:
    - name: "Manage containers for step {{ step }} with tripleo-ansible"
      include_role:
        name: tripleo_container_manage
      vars:
        tripleo_container_manage_cli: "{{ container_cli }}"
        tripleo_container_manage_config: "/var/lib/tripleo-config/container-startup-config/step_{{ step }}"
        tripleo_container_manage_config_id: "tripleo_step{{ step }}"
        tripleo_container_manage_config_patterns: '*.json'
"""

_COMMON = """\
- hosts: localhost
  name: Check if required variables are defined
  gather_facts: false
  tasks:
    - assert:
        that:
          - deploy_source_host is defined
          - deploy_target_host is defined
"""

_EXTERNAL = """\
- hosts: Undercloud
  name: External update
  gather_facts: false
  become: false
  tasks:
    - import_tasks: external_update_steps_tasks.yaml
"""


def _role_play(role: str, bootstrap: str, serial: int) -> str:
    imports = [("update_tasks", step) for step in range(UPDATE_STEPS)]
    imports += [("post_update_tasks", step) for step in range(POST_UPDATE_STEPS)]
    play = _ROLE_PLAY.format(role=role, bootstrap=bootstrap, serial=serial)
    return play + "".join(_IMPORT.format(role=role, kind=kind, step=step) for kind, step in imports)


def role_config(stack: str, roles: Iterable[str], bootstrap: str) -> dict[str, Any]:
    """The output RoleConfig: playbooks as text, as config-download writes them to files."""
    plays = [_role_play(role, bootstrap, 25 if role.startswith("Compute") else 1) for role in roles]
    return {
        "common_deploy_steps_playbooks": _COMMON,
        "common_deploy_steps_tasks": _START,
        "update_steps_playbook": _HEAD.format(stack=stack) + "".join(plays),
        "external_update_steps_playbook": _EXTERNAL,
        "external_update_steps_tasks": [],
        "global_vars": {"deploy_stack": stack},
    }
