"""How is a node switched on and off, how does the way to it break, and how a service of it?"""

from concurrent.futures import ThreadPoolExecutor

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes.node import Node, all_nodes
from tripleo_update_sandbox.state import State


def switch_on(state: State) -> None:
    """Boots every node that is not switched off on purpose: their processes run, also after a crash killed them."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(_boot_if_needed, [n for n in all_nodes(state) if n.is_on]))
    for name, problem in results:
        if problem:
            raise SandboxError(f"The node {name} did not boot: {problem}")


def _boot_if_needed(each: Node) -> tuple[str, str]:
    """(name of the node, what went wrong)."""
    if each.journal and not any(s.state == "failed" for s in each.services()):
        return each.name, ""
    done = each.run("sandbox-node", "boot")
    broken = any(path.exists() for path in each.folder.glob("services/*/broken"))
    return each.name, "" if done.returncode == 0 or broken else done.stderr.strip()


def power(target: Node, on: bool) -> None:
    """Switches a node on or off; nothing happens to one that is so already."""
    if target.is_on != on:
        _change(target, "boot" if on else "shutdown")


#: {fault of the way to a node: the file in its folder that makes Ansible's connection have it}
WAYS = {"cut": "cut", "hang": "hung"}


def connect(target: Node, fault: str = "") -> None:
    """Breaks the way to a node (one of WAYS), or mends it. The node itself works on."""
    for name in WAYS.values():
        (target.folder / name).unlink(missing_ok=True)
    if fault:
        (target.folder / WAYS[fault]).touch()


def fault(target: Node, service: str, broken: bool) -> None:
    """Breaks a service, so that it fails and cannot be started, or mends it, so that it runs again if it was to."""
    names = [s.name for s in target.services()]
    if service not in names:
        raise SandboxError(f"{target.name} has no service {service}.", f"It has: {' '.join(names)}")
    _change(target, "break" if broken else "mend", service)


def _change(target: Node, *arguments: str) -> None:
    done = target.run("sandbox-node", *arguments)
    if done.returncode:
        raise SandboxError(f"{target.name}: {done.stderr.strip() or f'exit code {done.returncode}'}")
