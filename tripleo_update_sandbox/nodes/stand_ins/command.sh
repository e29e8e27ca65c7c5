#!/bin/sh
# A command of a sandbox node. Every name in the node's bin folder is a link to this file; the name says which command
# is meant, and the file "commands" which function speaks for it. Each does what the real one would show of the node's
# services, and refuses what it does not know (64).
#
# A service is a folder:
#   services/NAME/state     running | stopped | failed
#   services/NAME/wanted    running | stopped: what it comes back to when the node boots
#   services/NAME/version   a number that an update raises
#   services/NAME/resource  there if Pacemaker runs it: the name of its resource
#   services/NAME/copies    there as well: one-runs, one-leads, all-lead or equal, as its copies stand to each other
#   services/NAME/container there if it runs in containers: their names
#   services/NAME/package   there if it comes in a package: its name
#   services/NAME/process   there if it has a process of its own; services/NAME/pid says which
#   services/NAME/broken    there while it cannot start
# The file "names" has patterns of other names of services, each with the service.
set -u

me=${0##*/}
case $0 in
    /*) node=${0%/bin/*} ;;
    *) node=$(cd "${0%/*}/.." && pwd) ;;
esac
node=${SANDBOX_NODE:-$node}
name=${node##*/}
nodes=${node%/*}
sandbox=${nodes%/*}
leaders=$sandbox/leaders

unknown() {
    echo "$me: a sandbox node does not know '$me $*'" >&2
    exit 64
}

lib=$sandbox/stand_ins
for part in services cluster facts units daemons machine packages; do
    # shellcheck source=/dev/null
    . "$lib/$part.sh"
done

while read -r command speaker; do
    [ "$command" != "$me" ] || break
done <"$lib/commands"
[ -n "$speaker" ] || unknown "$@"
case $me in
    sandbox-node | stand-in) ;; # by these a node goes on and off
    *)
        if [ -e "$node/off" ]; then
            echo "$me: $name is off" >&2
            exit 255
        fi ;;
esac
"$speaker" "$@"
