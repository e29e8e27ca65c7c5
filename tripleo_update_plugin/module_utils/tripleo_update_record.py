"""What is being done to this host, and what was changed from here: the record that every undercloud goes by.

Files in a folder of the host, which only root can read. ``owner.json`` says who works on the host or has left it out
of use; ``changes.json`` lists what was changed *from* this host, for itself or for another node, with what was there
before. Each is written before the deed and taken away after it is undone. ``updated.json`` says which outputs of the
stack an update has brought all of the host to; it goes as soon as another one begins. ``before.json`` says how sick was
before an update what is accepted as sick, until that is known to be well. ``notes.json`` says what has to be there
again before the next node goes; whoever finds it so takes it away.
"""

# Ansible carries this file to the nodes: it may use nothing of ours, and has to run with Python 2.7 and 3.5 as well.

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import json
import os
import re
import time
from contextlib import contextmanager

__metaclass__ = type

FORMAT = 1

FOLDER = "/var/lib/tripleo-update"

#: In the environment of everything that a phase runs on a node: <job>.<node>@<folder>. Hosts that share a kernel see
#: one another's processes, and may have the same name; their records are in folders of their own.
MARK = "TRIPLEO_UPDATE_TASK"

#: Daemons inherit the mark where no service manager starts them. They are at home in groups of their own.
HOME_OF_DAEMONS = re.compile(r"libpod|machine\.slice|docker|system\.slice/(?!sshd?[@.])[^/]+\.service")


class Unreadable(Exception):
    """A record that is there, but is none."""


class Records:
    """The records in *folder*. All but the readers of one file hold alone()."""

    def __init__(self, folder):
        self.folder = folder

    @contextmanager
    def alone(self):
        """Alone among all that change the records of this host."""
        try:
            os.makedirs(self.folder, 0o700)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
        os.chmod(self.folder, 0o700)
        descriptor = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def owner(self):
        """Who holds the host; None if nobody does."""
        return self._read("owner.json", dict, None)

    def set_owner(self, owner):
        self._write("owner.json", owner)

    def drop_owner(self):
        self._remove("owner.json")

    def updated(self):
        """Which update was the last one here, and what it brought the host to; {} if none has ended well since."""
        return self._read("updated.json", dict, {})

    def set_updated(self, update):
        self._write("updated.json", update)

    def drop_updated(self):
        self._remove("updated.json")

    def changes(self):
        """All changes made from here that are not undone, oldest first."""
        return self._read("changes.json", list, [])

    def changes_for(self, nodes):
        return [change for change in self.changes() if change.get("for") in nodes]

    def add(self, change):
        """Note a change before it is made. One that is there already stays as it is: it knows what was before."""
        changes = self.changes()
        if not any(is_same(change, each) for each in changes):
            self._write("changes.json", changes + [dict(change, time=time.time())])

    def drop(self, change):
        left = [each for each in self.changes() if not is_same(change, each)]
        if left:
            self._write("changes.json", left)
        else:
            self._remove("changes.json")

    def before(self):
        """{what it is about: how that was before an update}: see remember()."""
        return self._read("before.json", dict, {})

    def set_before(self, before):
        if before:
            self._write("before.json", before)
        else:
            self._remove("before.json")

    def notes(self):
        """{what: how it was}."""
        return self._read("notes.json", dict, {})

    def note(self, what, how):
        self._write("notes.json", dict(self.notes(), **{what: how}))

    def drop_note(self, what):
        left = dict((key, how) for key, how in self.notes().items() if key != what)
        if left:
            self._write("notes.json", left)
        else:
            self._remove("notes.json")

    def _read(self, name, kind, default):
        path = os.path.join(self.folder, name)
        try:
            with open(path) as file:
                value = json.load(file)
        except IOError as error:
            if error.errno == errno.ENOENT:
                return default
            raise
        except ValueError:
            value = None
        if not isinstance(value, kind):
            raise Unreadable("%s cannot be read; look at it, and remove it if nothing is at work here" % path)
        return value

    def _write(self, name, value):
        path = os.path.join(self.folder, name)
        descriptor = os.open(path + ".draft", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(value, file, sort_keys=True)
            file.flush()
            os.fsync(descriptor)
        os.rename(path + ".draft", path)

    def _remove(self, name):
        try:
            os.remove(os.path.join(self.folder, name))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise


def is_same(change, other):
    """Whether two notes are of the same change for the same node."""
    return all(change.get(key) == other.get(key) for key in ("for", "kind", "name"))


def is_owners(owner, other):
    """Whether two claims are of the same batch of the same update."""
    return all(owner.get(key) == other.get(key) for key in ("update", "batch"))


def processes(node, folder):
    """["<command> (<pid>)"] of what jobs began on *node* and that is still at work, ourselves left out.

    *folder* is that of the node's records.
    """
    found = []
    own = _ancestors(os.getpid())
    end = ".%s@%s" % (node, folder)
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in own:
            continue
        try:
            with open("/proc/%s/environ" % entry, "rb") as file:
                variables = file.read().split(b"\0")
            mark = [each for each in variables if each.startswith(MARK.encode() + b"=")]
            if not mark or not mark[0].decode("utf-8", "replace").endswith(end) or _is_at_home(entry):
                continue
            with open("/proc/%s/comm" % entry) as file:
                found.append("%s (%s)" % (file.read().strip(), entry))
        except (IOError, OSError):
            continue
    return sorted(found)


def _is_at_home(pid):
    with open("/proc/%s/stat" % pid) as file:
        if file.read().rpartition(")")[2].split()[0] in "ZX":
            return True
    with open("/proc/%s/cgroup" % pid) as file:
        return bool(HOME_OF_DAEMONS.search(file.read()))


def _ancestors(pid):
    """*pid*, what called it, and so on."""
    line = set()
    while pid > 1 and pid not in line:
        line.add(pid)
        try:
            with open("/proc/%d/stat" % pid) as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except (IOError, OSError):
            break
    return line


def state_of(owner, busy, now):
    """What a claim means now: "at work", "failed", "out of use", "claimed", or "" if it has lapsed."""
    if busy or (owner.get("working") and now < owner.get("until", 0)):
        return "at work"
    if owner.get("failed"):
        return "failed"
    if owner.get("drained"):
        return "out of use"
    return "claimed" if now < owner.get("until", 0) else ""


def in_words(owner, state, busy):
    """A claim for people."""
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(owner.get("since", 0)))
    text = "%s since %s: update %s of stack %s, batch %s, phase %s, from %s" % (
        state, since, str(owner.get("update", "?"))[:8], owner.get("stack", "?"), owner.get("batch", "?"),
        owner.get("phase", "?"), owner.get("machine", "?"),
    )  # fmt: skip
    return text + (", still at work: %s" % ", ".join(busy) if busy else "")


def claim(records, owner, node, seconds):
    """Make *owner* the owner of this host for *seconds*; why not, in words, or "" if it is.

    What an earlier attempt of the same batch left behind stays known: since when, and whether services are out of use.
    """
    now = time.time()
    with records.alone():
        there, busy = records.owner(), processes(node, records.folder)
        if there and not is_owners(there, owner):
            state = state_of(there, busy, now)
            if state:
                return "%s is %s" % (node, in_words(there, state, busy))
        elif busy:
            return "%s: an earlier attempt is still at work there: %s" % (node, ", ".join(busy))
        same = there if there and is_owners(there, owner) else {}
        kept = {"since": same.get("since", now), "drained": same.get("drained", False)}
        records.drop_updated()
        records.set_owner(dict(owner, format=FORMAT, working=True, failed="", until=now + seconds, **kept))
        if owner.get("phase") != "gate":
            _begin(records, node)
    return ""


def keep(records, owner, seconds, drained, failed):
    """A phase of *owner* has ended: the host stays claimed for *seconds*, or as long as services are out of use.

    *drained* None leaves as it is whether they are.
    """
    with records.alone():
        there = records.owner()
        if there and is_owners(there, owner):
            drained = there.get("drained", False) if drained is None else drained
            records.set_owner(dict(there, working=False, until=time.time() + seconds, drained=drained, failed=failed))


def free(records, owner, outputs="", well=""):
    """The host is nobody's any more, if it is *owner*'s; whoever's it is if that is None.

    *outputs* is the digest of those that *owner* has brought all of the host to. Of *well*, a node, need not be known
    any more how it was before: see remember().
    """
    with records.alone():
        there = records.owner()
        if not there or owner is None or is_owners(there, owner):
            if there and owner and outputs:
                records.set_updated({"outputs": outputs, "update": owner.get("update"), "time": time.time()})
            records.drop_owner()
            if well:
                _forget(records, well)


def remember(records, what, names, sick, begun=False):
    """Note how sick that of *what* was which is accepted by *names*, {thing: how much}, before an update of it.

    Once the update has *begun* to change it, what is noted stays, whoever asks again: an attempt after one that failed
    must not take what that one broke for what was there before.
    """
    with records.alone():
        noted = records.before()
        known = earlier(records, what)
        names = sorted(set(names) | set(known.get("names", ())))
        was = known.get("sick", {})
        worst = dict((thing, max(sick.get(thing, 0), was.get(thing, 0))) for thing in set(sick) | set(was))
        note = {"names": names, "sick": worst, "begun": begun or bool(known)}
        if names:
            records.set_before(dict(noted, **{what: note}))
        elif what in noted:
            _forget(records, what)


def earlier(records, what):
    """What is noted of *what* from before an update that began to change it, and of which it is not known that it is
    well again; {} if there is none."""
    note = records.before().get(what) or {}
    return note if note.get("begun") else {}


def forget(records, what):
    """It is well, or gone: how it was before need not be known any more."""
    with records.alone():
        _forget(records, what)


def _begin(records, what):
    noted = records.before()
    if what in noted and not noted[what].get("begun"):
        records.set_before(dict(noted, **{what: dict(noted[what], begun=True)}))


def _forget(records, what):
    noted = records.before()
    if noted.pop(what, None) is not None:
        records.set_before(noted)


def updated_to(records):
    """The digest of the outputs that an update has brought all of this host to; "" if none did, or nobody can tell."""
    try:
        return records.updated().get("outputs") or ""
    except Unreadable:
        return ""


def told(records, node):
    """The record as it is told: {} if there is none that means anything now. Never raises for an unreadable one."""
    try:
        there = records.owner()
        changes = records.changes()
    except Unreadable as error:
        return {"state": "at work", "why": str(error), "changes": 0, "processes": []}
    busy = processes(node, records.folder) if there or os.path.isdir(records.folder) else []
    state = state_of(there or {}, busy, time.time())
    own = [change for change in changes if change.get("for") == node]
    others = sorted(set(str(change.get("for")) for change in changes) - set([node]))
    if not state and not own:
        return {"state": "", "for_others": others} if others else {}
    fields = ("undercloud", "stack", "update", "batch", "phase", "since", "until", "machine", "services")
    held = dict((field, (there or {})[field]) for field in fields if field in (there or {}))
    return dict(
        held, state=state or "out of use", changes=len(own), processes=busy, for_others=others,
        why=(there or {}).get("failed") or in_words(there or {}, state or "out of use", busy),
    )  # fmt: skip
