#!/bin/sh
# A command of a sandbox node. Every name in the node's bin folder is a link to this file; the name says which command
# is meant. Each does what the real one would show of the node's services, and refuses what it does not know (64).
#
# A service is a folder:
#   services/NAME/state     running | stopped | failed
#   services/NAME/wanted    running | stopped: what it comes back to when the node boots
#   services/NAME/version   a number that an update raises
#   services/NAME/resource  there if Pacemaker runs it: the name of its resource
#   services/NAME/package   there if it comes in a package: its name
#   services/NAME/process   there if it has a process of its own; services/NAME/pid says which
#   services/NAME/broken    there while it cannot start
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

case $me in
    stand-in)
        # Lives until it is killed, without a child and without a timer: nobody ever writes into its own pipe.
        pipe=$node/services/$1/pipe
        [ -p "$pipe" ] || mkfifo -m 600 "$pipe"
        read -r _ <>"$pipe"
        ;;
    sandbox-node) run_sandbox_node "$@" ;;
    *)
        if [ -e "$node/off" ]; then
            echo "$me: $name is off" >&2
            exit 255
        fi
        case $me in
            systemctl) run_systemctl "$@" ;;
            podman | docker) run_podman "$@" ;;
            crm_resource) run_crm_resource "$@" ;;
            crm_mon) run_crm_mon "$@" ;;
            ip) run_ip "$@" ;;
            crm_node) [ "${1:-}" = -n ] || unknown "$@"; echo "$name" ;;
            needs-restarting) run_needs_restarting "$@" ;;
            pcs) run_pcs "$@" ;;
            ceph) run_ceph "$@" ;;
            clustercheck) run_clustercheck ;;
            mysql) run_mysql ;;
            ovs-appctl) run_ovs_appctl "$@" ;;
            ss) run_ss ;;
            virsh) service_works nova_libvirt ;;
            rabbitmqctl | rabbitmq-diagnostics | rabbitmq-upgrade) run_rabbitmqctl "$@" ;;
            dnf | yum) run_yum "$@" ;;
            rpm) run_rpm "$@" ;;
            sandbox-recreate) run_sandbox_recreate "$@" ;;
            sandbox-update) run_sandbox_update "$@" ;;
            *) unknown "$@" ;;
        esac
        ;;
esac
