# shellcheck shell=sh disable=SC2154
# What the daemons of a node say of themselves, asked with their own tools.

service_works() { # service
    [ -d "$node/services/$1" ] || return 1
    look "$1"
    [ "$state" = running ]
}

run_clustercheck() {
    if service_works mysql; then
        printf 'HTTP/1.1 200 OK\r\n\r\nGalera cluster node is synced.\r\n'
    else
        printf 'HTTP/1.1 503 Service Unavailable\r\n\r\nGalera cluster node is not synced.\r\n'
        exit 1
    fi
}

run_rabbitmqctl() {
    find_service rabbitmq-server
    broker=$service
    while :; do case ${1:-} in -q | -s | --silent | --quiet) shift ;; -n | -t | --timeout) shift 2 ;; *) break ;; esac; done
    case ${1:-} in
        eval) case ${2:-} in "{rabbit:is_running(), length("*) ;; *) unknown "$@" ;; esac ;;
        drain | revive | cluster_status | await_startup | node_health_check | ping | status | check_running | check_alarms) ;;
        check_if_node_is_mirror_sync_critical | check_if_node_is_quorum_critical | list_queues) ;;
        await_online_quorum_plus_one | await_online_synchronized_mirror | check_local_alarms) ;;
        *) unknown "$@" ;;
    esac
    if ! service_works "$broker"; then
        echo "Error: unable to perform an operation on node 'rabbit@$name'." >&2
        exit 69
    fi
    case $1 in
        eval) echo "{true,$(running_members "$broker"),[]}"; exit 0 ;;
        drain | revive) note "$1" "$broker" ''; exit 0 ;;
        cluster_status) ;;
        *) exit 0 ;;
    esac
    printf 'Running Nodes\n\n'
    for other in "$nodes"/*; do
        runs_there "$other" "$broker" && echo "rabbit@${other##*/}"
    done
    printf '\nNetwork Partitions\n\n(none)\n'
}

running_members() { # service; prints on how many nodes of the cluster it runs
    count=0
    for other in "$nodes"/*; do
        runs_there "$other" "$1" && count=$((count + 1))
    done
    echo $count
}

run_mysql() { # whatever is asked, the answer is the cluster's state
    if ! service_works mysql; then
        echo "ERROR 2002 (HY000): Can't connect to local server" >&2
        exit 1
    fi
    printf 'wsrep_cluster_size\t%s\nwsrep_cluster_status\tPrimary\nwsrep_local_state_comment\tSynced\n' \
        "$(running_members mysql)"
}

run_ovs_appctl() {
    [ "$*" = "-t ovn-controller connection-status" ] || unknown "$@"
    service_works ovn_controller || exit 1
    echo connected
}

run_virsh() {
    service_works nova_libvirt
}

run_ss() {
    ! service_works iscsid || echo 'u_str LISTEN 0 4096 @ISCSIADM_ABSTRACT_NAMESPACE 22222 * 0'
}

runs() { # node folder, service: for services that are in no cluster of Pacemaker's
    [ ! -e "$1/off" ] && [ ! -e "$1/services/$2/broken" ] || return 1
    get "$1/services/$2/state"
    [ "$got" = running ]
}

nodes_with() { # service that runs there; prints their names in quotes
    for other in "$nodes"/*; do
        runs "$other" "$1" && printf '"%s" ' "${other##*/}"
    done
}

run_ceph() {
    service_works ceph_mon || { echo "[errno 110] error connecting to the cluster" >&2; exit 1; }
    while case ${1:-} in --cluster | -n | -k) true ;; *) false ;; esac; do shift 2; done
    case "$*" in
        quorum_status) echo "{\"quorum_names\":[$(nodes_with ceph_mon | sed 's/" "/","/g')]}" ;;
        "mgr stat") [ -n "$(nodes_with ceph_mgr)" ] && echo '{"available": true}' || echo '{"available": false}' ;;
        "mds stat") echo 'cephfs:1 {0=sandbox=up:active}' ;;
        "pg stat")
            for other in "$nodes"/*; do
                [ ! -d "$other/services/ceph_osd" ] || runs "$other" ceph_osd || {
                    echo "33 pgs: 22 active+clean, 11 active+undersized+degraded; 0 B data"
                    return
                }
            done
            echo "33 pgs: 33 active+clean; 0 B data" ;;
        "node ls osd")
            found=
            for other in "$nodes"/*; do
                [ ! -d "$other/services/ceph_osd" ] || found="$found${found:+, }\"${other##*/}\": [0]"
            done
            echo "{$found}" ;;
        "osd ok-to-stop "*) ;;
        "osd set "* | "osd unset "*) note "$2" ceph_osd "$3" ;;
        *) unknown "$@" ;;
    esac
}
