"""What is there of a sandbox now, as data and as a table?"""

from collections import Counter
from typing import Any

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes import endpoints
from tripleo_update_sandbox.nodes.node import Node, all_nodes
from tripleo_update_sandbox.overcloud import stacks
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import servers
from tripleo_update_undercloud import processes

_SERVERS = (servers.HEAT, servers.MISTRAL)


def describe(state: State) -> dict[str, Any]:
    """Servers, stack and nodes as data; ``up`` says whether everything works that should."""
    where = servers.endpoints(state)
    found = {name: _server(state, name, where) for name in _SERVERS}
    stack = _stack(state, where) if found[servers.HEAT]["up"] else None
    machines = [_node(each) for each in all_nodes(state)]
    if machines:
        found[endpoints.ENDPOINTS] = _endpoints(state)
    whole = all(server["up"] for server in found.values()) and (stack is None or stack["state"] == "CREATE_COMPLETE")
    return {
        "up": whole and all(machine["up"] for machine in machines),
        "folder": str(state.folder),
        **found,
        "memory_mb": round(sum(p["memory_mb"] for p in found.values()), 1),
        "stack": stack,
        "nodes": machines,
    }


def _server(state: State, name: str, where: servers.Endpoints | None) -> dict[str, Any]:
    process = servers.running(state, name)
    return {
        "up": bool(process and where and servers.awaited(state, name, where).answers()),
        "url": where.url(name) if where else "",
        **_measure(process),
        "log": str(state.log(name)),
    }


def _endpoints(state: State) -> dict[str, Any]:
    """The simulated endpoints; the URL is that of Keystone at the virtual address."""
    process = servers.running(state, endpoints.ENDPOINTS)
    return {
        "up": process is not None,
        "url": endpoints.keystone_url(state),
        **_measure(process),
        "log": str(state.log(endpoints.ENDPOINTS)),
    }


def _measure(process: processes.Process | None) -> dict[str, Any]:
    if process is None:
        return {"pid": None, "memory_mb": 0.0}
    return {"pid": process.pid, "memory_mb": round(processes.memory(process) / 1024**2, 1)}


def _stack(state: State, where: servers.Endpoints | None) -> dict[str, str] | None:
    name = state.recall("stack").get("name")
    if not name or where is None:
        return None
    try:
        return {"name": str(name), "state": stacks.stack_status(where, str(name)) or "missing"}
    except SandboxError as error:
        return {"name": str(name), "state": error.message}


def _node(each: Node) -> dict[str, Any]:
    services = {s.name: {"state": s.state, "version": s.version} for s in each.services()}
    healthy = all(s["state"] == "running" for s in services.values())
    return {
        "name": each.name,
        "power": "on" if each.is_on else "off",
        "up": each.is_on and healthy,
        "services": services,
    }


def to_text(status: dict[str, Any]) -> str:
    """The status as a table for people.

    >>> print(to_text({"up": False, "folder": "/s", "heat": {"up": False, "url": "", "pid": None, "memory_mb": 0.0},
    ...                "mistral": {"up": True, "url": "http://m", "pid": 7, "memory_mb": 1.0},
    ...                "stack": None, "nodes": []}))
    heat      down
    mistral   up    http://m  pid 7  1 MB
    """
    lines = [_server_line(name, status[name]) for name in (*_SERVERS, endpoints.ENDPOINTS) if name in status]
    if status["stack"]:
        lines.append(f"{'stack':<10}{status['stack']['name']}  {status['stack']['state']}")
    if status["nodes"]:
        width = max(len(node["name"]) for node in status["nodes"])
        lines += ["", *(_node_line(node, width) for node in status["nodes"])]
    return "\n".join(lines)


def _server_line(name: str, server: dict[str, Any]) -> str:
    if server["pid"] is None:
        return f"{name:<10}down"
    word = "up" if server["up"] else "silent"
    return f"{name:<10}{word:<6}{server['url']}  pid {server['pid']}  {server['memory_mb']:.0f} MB"


def _node_line(node: dict[str, Any], width: int) -> str:
    services = node["services"]
    counts = Counter(s["state"] for s in services.values())
    text = ", ".join(
        f"{count} {state}" for state, count in sorted(counts.items(), key=lambda item: item[0] != "running")
    )
    failed = [name for name, s in services.items() if s["state"] == "failed"]
    versions = sorted({s["version"] for s in services.values()})
    span = "version " + " to ".join(str(v) for v in dict.fromkeys([versions[0], versions[-1]])) if versions else ""
    return (
        f"{node['name']:<{width}}  {node['power']:<4}{text}  {span}{'  failed: ' + ' '.join(failed) if failed else ''}"
    )
