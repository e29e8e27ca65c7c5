"""How does a sandbox come up and go down? What is missing is made, what is there is kept; at the end all is gone."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes import access, endpoints, making, power
from tripleo_update_sandbox.nodes.node import all_nodes
from tripleo_update_sandbox.overcloud import captured, stacks
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import clouds, servers
from tripleo_update_sandbox.wanted import Wanted, Wish, wanted
from tripleo_update_undercloud import processes

#: By which names the processes of the servers are remembered.
SERVERS = (servers.MISTRAL, servers.HEAT, endpoints.ENDPOINTS)

Say = Callable[[str], None]


def up(state: State, wish: Wish, say: Say) -> bool:
    """Brings up what is missing; False if nothing was. If it cannot, it stops what it started."""
    fresh = not state.exists
    missing = _missing(state, wish)
    state.prepare()
    with state.lock():
        started: list[processes.Process] = []
        try:
            _up(state, wish, missing, started, say)
        except BaseException:
            if fresh:
                _tear_down(state, keep_logs=True)
            else:
                processes.stop(started)
            raise
    return bool(started or missing)


def _up(state: State, wish: Wish, missing: Wanted | None, started: list[processes.Process], say: Say) -> None:
    where = servers.choose(state, wish.heat_port, wish.mistral_port)
    access.write_ansible_config(state)
    servers.start(state, where, started)
    if missing:
        _prepare_nodes(state, missing, wish.pace, say)
    elif not state.inventory.exists():
        access.write_inventory(state, ())
    power.switch_on(state)
    endpoints.start(state, started)
    servers.wait(state, where, lambda server, seconds: _announce(say, where, server, seconds) if started else None)
    endpoints.check(state)
    clouds.publish(state, where, os.environ)
    if missing:
        name = wish.stack or stack_name(state)
        stacks.ensure(where, name, missing.outputs, missing.services)
        state.remember("stack", {"name": name, "digest": missing.digest})
        say(f"{'stack':<10}{name}  {len(all_nodes(state))} nodes in {state.nodes}")


def _announce(say: Say, where: servers.Endpoints, server: str, seconds: float) -> None:
    say(f"{server:<10}{where.url(server)}  ready after {seconds:.1f} s")


def stack_name(state: State) -> str:
    return str(state.recall("stack").get("name") or "overcloud")


def _missing(state: State, wish: Wish) -> Wanted | None:
    """The overcloud that has to be made; None if none is wanted, or it is there."""
    known = state.recall("stack")
    if not wish.with_overcloud or (known and wish.stack in (None, known["name"]) and not wish.is_particular):
        return None
    made = wanted(wish, wish.stack or stack_name(state))
    if not known:
        return made
    if wish.stack in (None, known["name"]) and known.get("digest") == made.digest:
        return None
    raise SandboxError(
        f"The sandbox has another overcloud already: the stack {known['name']}.",
        "Take the sandbox down first, or choose another folder for a second one with --state DIR.",
    )


def _prepare_nodes(state: State, made: Wanted, pace: float, say: Say) -> None:
    """Nodes for hosts that can be updated without harm to this machine; others can only be planned."""
    if made.has_nodes:
        vips = captured.vips_of(made.outputs)
        making.create(state, made.hosts, vips, pace)
        making.stock(state, made.repository)
        access.write_detours(state, made.hosts, vips)
    else:
        say("These outputs have no playbooks of their own, so there are no nodes: plan with them, but don't start.")
    access.write_inventory(state, [host.name for host in made.hosts])


def down(state: State) -> bool:
    """Stops and removes everything; False if there was nothing to remove."""
    if not state.exists:
        if state.folder.exists() and (not state.folder.is_dir() or any(state.folder.iterdir())):
            state.remove()  # which refuses: it is not a sandbox's
        _forget_folder(state)
        return False
    with state.lock():
        _tear_down(state, keep_logs=False)
    return True


def _forget_folder(state: State) -> None:
    with suppress(OSError):
        state.folder.rmdir()


def _tear_down(state: State, keep_logs: bool) -> None:
    recorded = [process for name in SERVERS if (process := state.process(name))]
    processes.stop(recorded)
    _end_runners(state)
    processes.stop([process for node in all_nodes(state) for process in node.processes()])
    for _ in range(3):  # what is stopped can have started something in between
        left = processes.members(state.folder)
        if not left:
            break
        processes.stop(left)
    if left := processes.members(state.folder):
        raise SandboxError(f"These processes do not end: {' '.join(str(p.pid) for p in left)}.")
    clouds.withdraw(state)
    state.remove(keep_logs)


def _end_runners(state: State) -> None:
    """Ends the groups of the Ansible runs that jobs noted; the notes of an earlier boot say nothing of today's."""
    ours = {p.pid for p in processes.members(state.folder)}
    for note in state.work.glob("**/pid"):
        with suppress(OSError, ValueError):
            pid = int(note.read_text().split()[0])
            if pid in ours and os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGTERM)
