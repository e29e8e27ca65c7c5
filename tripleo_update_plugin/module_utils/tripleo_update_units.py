"""Which units and containers of a service do not run as they should, by what is known of the host?"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import re

from ansible.module_utils.tripleo_update_sickness import STOPPED, UNHEALTHY, Sick

__metaclass__ = type

IDLE = ("inactive", "unknown")


def _unit(name, state):
    return Sick("not active: ", "%s (%s)" % (name, state), ["unit:" + name], STOPPED)


def units(host, names):
    """Of a service's units in all releases, some are there: one is active, none failed or is on its way."""
    states = dict((name, host.units.get(name, "unknown")) for name in names)
    fine = [name for name, state in states.items() if state == "active" or (state in IDLE and name not in host.ran)]
    bad = [_unit(name, state) for name, state in sorted(states.items()) if name not in fine]
    if bad or "active" in states.values():
        return bad
    shown = ", ".join("%s (%s)" % item for item in sorted(states.items()))
    return [Sick("not active: ", shown, ["unit:" + name for name in sorted(states)], STOPPED)]


def containers(host, names):
    """By their units; where they have none, as with Docker, by what the engine says of them."""
    found = _boxes(host, names) if host.are_idle(names) else units(host, names)
    told = [name for each in found for name in each.names]
    for name in names:
        if host.units.get(name + "_healthcheck") == "failed" and "unit:" + name not in told:
            level = UNHEALTHY if host.units.get(name) == "active" else STOPPED
            found.append(Sick("unhealthy: ", name, ["unit:" + name], level))
    return found


def _boxes(host, names):
    nothing = ("", "gone")
    known = dict((name, host.containers.get(re.sub("^tripleo_", "", name), nothing)[1]) for name in sorted(names))
    gone = [_unit(name, status) for name, status in known.items() if name in host.ran and not status.startswith("Up")]
    ill = [name for name, status in known.items() if "(unhealthy)" in status]
    if ill or gone:
        return gone + [Sick("unhealthy: ", name, ["unit:" + name]) for name in sorted(ill)]
    return [] if any(status.startswith("Up") for status in known.values()) else units(host, names)
