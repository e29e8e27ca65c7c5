"""What is sick on this host, how much, and which of it is accepted because it was so before the update?"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

__metaclass__ = type

#: How much: what is looked at runs here and is not well, or it does not run here.
UNHEALTHY, STOPPED = 1, 2

_IN_WORDS = {0: "well", UNHEALTHY: "unhealthy", STOPPED: "stopped"}

#: What a policy can name, besides services.
_KINDS = ("unit:", "haproxy:")


class Sick:
    """Something that is not well: ``how`` it is and what is ``shown`` of it, as text that follows; ``level``: how much.

    By its ``names`` it is known again. Where it has none of its own it is known by the text: the same is sick only if
    it is so in the same way.
    """

    def __init__(self, how, shown="", names=(), level=UNHEALTHY):
        self.how, self.shown, self.level = how, shown, level
        self.names = list(names) or [how + shown]

    def name(self, service):
        """By what a policy can accept it."""
        return ([name for name in self.names if name.startswith(_KINDS)] or ["service:" + service])[0]


def in_words(found):
    """[Sick] as one text; what is sick in the same way is told together."""
    ways = []
    for each in found:
        if each.how not in ways:
            ways.append(each.how)
    shown = [[each.shown for each in found if each.how == how] for how in ways]
    return "; ".join(how + ", ".join(each) for how, each in zip(ways, shown))


class Acceptance:
    """What may be sick: that which *names* (unit:, haproxy: or service:) name, as far as it was so before the update.

    *earlier* says how it was before, as tripleo_update_record.earlier() has it. *before* the update, what is not known
    of that is taken as it is found; after it, only what was noted counts.
    """

    def __init__(self, names=(), earlier=(), before=True):
        self.names, self.before = frozenset(names), before
        self._known = frozenset(dict(earlier).get("names", ()))
        self._was = dict(earlier).get("sick", {})

    def ran(self):
        """Units and containers that were unhealthy before: they ran."""
        return frozenset(name[5:] for name, level in self._was.items() if level == UNHEALTHY and name[:5] == "unit:")

    def allows(self, service, sick):
        by = self._by(service, sick)
        if by and self.before and not by <= self._known:
            return True
        return bool(by) and sick.level <= self._level(sick)

    def refusal(self, service, sick):
        """Why something is not accepted though it is named; "" if it is not named."""
        return "accepted only as it was before: " + _IN_WORDS[self._level(sick)] if self._by(service, sick) else ""

    def _by(self, service, sick):
        return self.names & frozenset(sick.names + ["service:" + service])

    def _level(self, sick):
        return max(self._was.get(name, 0) for name in sick.names)


def looked_at(names, checks):
    """Those of *names* that *checks* look at: of all others nothing is known, though they do not seem sick."""
    kinds = ("units", "containers", "here", "somewhere")
    asked = set("service:" + service for check in checks for service in check["services"])
    asked.update("unit:" + unit for check in checks for kind in kinds for unit in check.get(kind, ()))
    proxies = any("haproxy" in check for check in checks)
    return [name for name in names if name in asked or (proxies and name.startswith("haproxy:"))]


class Look:
    """What was seen in one look, judged by an Acceptance. *answers* are (services, [Sick]); None for nothing to see."""

    def __init__(self, answers, acceptance):
        self.acceptance, self.unchecked, self.sick, self.accepted = acceptance, [], {}, {}
        for services, found in answers:
            for service in services:
                if found is None:
                    self.unchecked.append(service)
                for each in found or ():
                    kept = self.accepted if acceptance.allows(service, each) else self.sick
                    kept.setdefault(service, []).append(each)

    def reasons(self):
        """{service: why it is sick}, without what is accepted."""
        return dict((service, self._reason(service, found)) for service, found in self.sick.items())

    def _reason(self, service, found):
        refusals = set(self.acceptance.refusal(service, each) for each in found) - set([""])
        return "; ".join([in_words(found)] + sorted(refusals))

    def names(self):
        """By what a policy could accept what is sick, without what it names and what is worse than it was."""
        sick = [(service, each) for service, found in self.sick.items() for each in found]
        return sorted(set(each.name(service) for service, each in sick if not self.acceptance.refusal(service, each)))

    def tolerated(self):
        """{service: what is accepted of it}."""
        return dict((service, in_words(found)) for service, found in self.accepted.items())

    def without(self):
        """Services that do not run here, which is accepted."""
        stopped = [s for s, found in self.accepted.items() if any(each.level >= STOPPED for each in found)]
        return sorted(stopped)

    def noted(self):
        """{name: how much} of what is accepted, to be known again after the update."""
        levels = {}
        for found in self.accepted.values():
            for each in found:
                for name in each.names:
                    levels[name] = max(each.level, levels.get(name, 0))
        return levels
