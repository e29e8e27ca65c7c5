"""What can ``tripleo-update-sandbox`` be asked for?

An undercloud and a small overcloud on this machine, for trying updates out.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.names import is_safe_name
from tripleo_update_sandbox import demo, lifecycle, status, wanted
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes import power
from tripleo_update_sandbox.nodes.node import Node, find_node
from tripleo_update_sandbox.state import NAME, VARIABLE, State, default_folder
from tripleo_update_sandbox.undercloud import clouds

_DESCRIPTION = """\
A real Heat and a real Mistral on loopback, without root and without passwords, and an
overcloud to update: a real Heat stack with TripleO's outputs, whose nodes are simulated
by folders on this machine that real Ansible reaches and changes.

  tripleo-update-sandbox up                 start it; takes about ten seconds
  export OS_CLOUD=tripleo-update-sandbox    then openstack commands talk to it:
  openstack stack list
  openstack overcloud update plan --stack overcloud --save plan.yaml
  openstack overcloud update start --wait plan.yaml
  tripleo-update-sandbox status             what runs, and what the nodes look like
  tripleo-update-sandbox down               stop it and remove every file of it

  tripleo-update-sandbox run --down         all of this by itself
"""

_EPILOG = f"""\
Everything is kept in one folder: --state DIR, else ${VARIABLE}, else
$XDG_STATE_HOME/{NAME} (~/.local/state/{NAME}).
"""

_NODE = """\
Faults to try an update with. 'off' makes a node unreachable, as if it had lost its power;
'break' makes a service fail and keeps it from starting; 'on' and 'mend' undo them.
'cut' cuts the connection to a node, also of what is under way there, which goes on, and
'hang' lets no answer come from it; 'reach' undoes both.

  tripleo-update-sandbox node overcloud-controller-1 off
  tripleo-update-sandbox node overcloud-controller-1 cut
  tripleo-update-sandbox node overcloud-novacompute-0 break nova_compute
"""


def _count(text: str) -> int:
    if not text.isdigit() or int(text) > 500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of nodes from 0 to 500")
    return int(text)


def _pace(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 600")
    return seconds


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def _stack(text: str) -> str:
    if not is_safe_name(text) or not text[0].isalpha() or text != text.lower():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be the name of a stack and of its hosts")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    if not names or not all(map(is_safe_name, names)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of services")
    return names


def _add_up_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", type=_stack, metavar="NAME", help="name of the overcloud (default: overcloud)")
    parser.add_argument("--controllers", type=_count, default=3, metavar="N", help="controllers (default: 3)")
    parser.add_argument("--computes", type=_count, default=3, metavar="N", help="computes (default: 3)")
    parser.add_argument("--ceph", type=_count, default=3, metavar="N", help="Ceph storage nodes (default: 3)")
    parser.add_argument(
        "--outputs",
        type=Path,
        metavar="FILE",
        help="an overcloud with these outputs, a JSON file {key: value}, instead of the sample. Its update tasks are "
        "replaced by the sandbox's, which change nothing but sandbox nodes",
    )
    parser.add_argument(
        "--sample",
        choices=wanted.SAMPLES,
        default=wanted.CONTAINERS,
        help="the overcloud's kind: containers (Zed, the default), or packages (Newton) with a Pacemaker that runs the "
        "core only or, in old-packages, all that it can",
    )
    parser.add_argument(
        "--service-chains",
        type=_names,
        default=(),
        metavar="SERVICES",
        help="nested stacks with the data of these services, separated by commas, which updates limited to a service "
        "need; Heat takes about a second for each on each role",
    )
    parser.add_argument("--no-overcloud", action="store_true", help="only Heat and Mistral")
    parser.add_argument(
        "--pace", type=_pace, default=0.3, metavar="SECONDS", help="time that updating a node takes (default: 0.3)"
    )
    parser.add_argument("--heat-port", type=_port, metavar="PORT", help="Heat's port (default: a free one)")
    parser.add_argument("--mistral-port", type=_port, metavar="PORT", help="Mistral's port (default: a free one)")


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=NAME, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=raw)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", type=Path, metavar="DIR", help="the sandbox's folder")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_ in (("up", "start the sandbox"), ("run", "start it, plan and run an update, and report")):
        command = commands.add_parser(name, parents=[common], help=help_, description=help_.capitalize() + ".")
        _add_up_options(command)
        if name == "run":
            command.add_argument(
                "--down", action="store_true", help="take the sandbox down at the end, whatever happened"
            )
    command = commands.add_parser("status", parents=[common], help="show what runs; exit code 0 if all of it does")
    command.add_argument("-f", "--format", choices=("table", "json"), default="table")
    commands.add_parser("down", parents=[common], help="stop the sandbox and remove every file of it")
    command = commands.add_parser(
        "node", parents=[common], help="switch a node off or on, break or mend a service", description=_NODE,
        formatter_class=raw,
    )  # fmt: skip
    command.add_argument("name", help="the node's name, as in 'status'")
    command.add_argument("action", choices=("off", "on", *power.WAYS, "reach", "break", "mend"))
    command.add_argument("service", nargs="?", help="with break and mend: the service")
    return parser


def _wish(options: argparse.Namespace) -> wanted.Wish:
    return wanted.Wish(
        stack=options.stack,
        with_overcloud=not options.no_overcloud,
        controllers=options.controllers,
        computes=options.computes,
        ceph=options.ceph,
        outputs=options.outputs,
        sample=options.sample,
        service_chains=options.service_chains,
        pace=options.pace,
        heat_port=options.heat_port,
        mistral_port=options.mistral_port,
    )


def _say(text: str) -> None:
    print(text, flush=True)


def _up(state: State, options: argparse.Namespace) -> int:
    began = time.monotonic()
    changed = lifecycle.up(state, _wish(options), _say)
    result = f"Up after {time.monotonic() - began:.1f} s" if changed else f"The sandbox in {state.folder} is up already"
    _say(f"{result}. In your shell:\n\n{clouds.advice(state, os.environ)}\n")
    return 0


def _run(state: State, options: argparse.Namespace) -> int:
    if options.no_overcloud:
        raise SandboxError("There is nothing to update without an overcloud.", "Leave --no-overcloud out.")
    try:
        lifecycle.up(state, _wish(options), _say)
        return demo.run(state, lifecycle.stack_name(state), _say)
    finally:
        if options.down:
            lifecycle.down(state)
            _say("\nThe sandbox is down; nothing of it is left.")


def _status(state: State, options: argparse.Namespace) -> int:
    found = status.describe(state)
    _say(json.dumps(found, indent=2) if options.format == "json" else status.to_text(found))
    return 0 if found["up"] else 1


def _down(state: State, _options: argparse.Namespace) -> int:
    _say(
        "The sandbox is down; nothing of it is left." if lifecycle.down(state) else "There is no sandbox to take down."
    )
    return 0


def _node(state: State, options: argparse.Namespace) -> int:
    target = find_node(state, options.name)
    if options.action not in ("break", "mend"):
        if options.service:
            raise SandboxError(f"'{options.action}' takes no service.", "It is of the whole node.")
        return _whole_node(target, options.action)
    if not options.service:
        raise SandboxError(f"'{options.action}' needs a service.", f"'{NAME} status -f json' shows those of each node.")
    power.fault(target, options.service, options.action == "break")
    _say(f"{options.service} on {target.name} is {'broken' if options.action == 'break' else 'mended'}")
    return 0


def _whole_node(target: Node, action: str) -> int:
    if action in ("on", "off"):
        power.power(target, action == "on")
        _say(f"{target.name} is {action}")
    else:
        power.connect(target, action if action in power.WAYS else "")
        _say(f"{target.name} can be reached" if action == "reach" else f"the connection to {target.name}: {action}")
    return 0


_COMMANDS = {"up": _up, "run": _run, "status": _status, "down": _down, "node": _node}


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    """A command that is ended cleans up after itself, as with Ctrl-C."""
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 when it did not work (or, for status, is not up), 2 for wrong arguments."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    state = State((options.state or default_folder(os.environ)).expanduser().resolve())
    try:
        return _COMMANDS[options.command](state, options)
    except UpdateError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
