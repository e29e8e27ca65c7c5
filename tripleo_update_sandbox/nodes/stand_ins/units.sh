# shellcheck shell=sh disable=SC2154
# systemd's units and containers.

systemd_service() { # unit: a service that systemd knows here; a node with packages has no others than theirs
    [ ! -d "$node/units" ] || [ -r "$node/units/${1%.service}" ] || return 1
    find_service "$1" && [ ! -e "$node/services/$service/resource" ]
}

unit_state() { # unit; sets $word to systemd's
    word=inactive
    systemd_service "$1" || return 0
    look "$service"
    case $state in running) word=active ;; failed) word=failed ;; esac
}

units_that_are() { # word unit...: like systemctl, fine if any of them is
    wanted=$1 result=3
    shift
    for unit in "$@"; do
        unit_state "$unit"
        [ -n "$quiet" ] || echo "$word"
        [ "$word" = "$wanted" ] && result=0
    done
    exit $result
}

change_units() { # verb unit...
    verb=$1 result=0
    shift
    for unit in "$@"; do
        if ! systemd_service "$unit"; then
            echo "Failed to $verb $unit: Unit $unit not found." >&2
            result=5
            continue
        fi
        case $verb in
            start) start_service "$service" || result=1 ;;
            stop) stop_service "$service" ;;
            restart) stop_service "$service"; start_service "$service" || result=1 ;;
        esac
    done
    exit $result
}

show_unit() { # unit
    unit_state "$1"
    sub=dead pid=0 load=not-found
    systemd_service "$1" && load=loaded && { alive "$node/services/$service" || pid=0; }
    [ "$word" = active ] && sub=running
    printf 'Id=%s\nLoadState=%s\nActiveState=%s\nSubState=%s\nMainPID=%s\n' "$1" "$load" "$word" "$sub" "$pid"
}

run_systemctl() {
    quiet=
    while :; do
        case ${1:-} in
            -q | --quiet) quiet=yes ;;
            --no-pager | --no-block | --now | -l | --full) ;;
            *) break ;;
        esac
        shift
    done
    action=${1:-}
    [ $# -gt 0 ] && shift
    case $action in
        daemon-reload | reset-failed | list-units) exit 0 ;;
        start | stop | restart | is-active | is-failed | is-enabled | show | status) [ $# -gt 0 ] || unknown "$action" ;;
        *) unknown "$action" "$@" ;;
    esac
    [ "$1" = --quiet ] || [ "$1" = -q ] && quiet=yes && shift
    case $action in
        is-active) units_that_are active "$@" ;;
        is-failed) units_that_are failed "$@" ;;
        is-enabled) systemd_service "$1" && echo enabled ;;
        show) show_unit "$1" ;;
        status) unit_state "$1"; echo "$1 - $word"; [ "$word" = active ] || exit 3 ;;
        *) change_units "$action" "$@" ;;
    esac
}

container_runs() { # container
    find_service "$1" || return 1
    if [ -e "$node/services/$service/resource" ]; then
        in_cluster "$node" || return 1
    fi
    look "$service"
    [ "$state" = running ]
}

run_podman_ps() { # a container's name is its ID as well
    filter='' images='' status=''
    while [ $# -gt 0 ]; do
        case $1 in
            -q | --quiet | -a | --all | --no-trunc) ;;
            -f | --filter) [ $# -gt 1 ] || unknown ps "$@"; filter=$2; shift ;;
            --filter=*) filter=${1#*=} ;;
            --format)
                case ${2:-} in
                    '{{.Names}}') ;;
                    '{{.Names}} {{.Image}}') images=yes ;;
                    '{{.Names}}	{{.Status}}') status='	Up 5 minutes' ;;
                    *) unknown ps "$@" ;;
                esac
                shift ;;
            *) unknown ps "$@" ;;
        esac
        shift
    done
    case $filter in
        'name=^ceph-'*) ;; # daemons of Ceph have no containers here
        '' | name=*) list_containers "${filter#name=}" ;;
        *) unknown ps --filter "$filter" ;;
    esac
    return 0
}

list_containers() { # part of a name
    for folder in "$node"/services/*/container; do
        [ -e "$folder" ] || continue
        while read -r container; do
            case $container in *"$1"*) container_runs "$container" && show_container "$container" ;; esac
        done <"$folder"
    done
}

run_in_container() { # [options] container command...
    while :; do
        case ${1:-} in
            -u | --user | -e | --env | -w) shift 2 ;;
            -*) shift ;;
            *) break ;;
        esac
    done
    [ $# -ge 2 ] || unknown exec "$@"
    if ! container_runs "$1"; then
        echo "Error: no container with name or ID \"$1\" found: no such container" >&2
        exit 125
    fi
    shift
    [ -x "$node/bin/$1" ] || unknown exec "$@"
    command=$1
    shift
    exec "$node/bin/$command" "$@"
}

run_podman() {
    action=${1:-}
    [ $# -gt 0 ] && shift
    case "$action ${1:-}" in
        "ps "*) run_podman_ps "$@" ;;
        "pull "*) for image in "$@"; do echo "$image"; done ;;
        "exec "*) run_in_container "$@" ;;
        "healthcheck run") container_runs "${2:-}" && echo healthy && exit 0; echo unhealthy; exit 1 ;;
        *) unknown "$action" "$@" ;;
    esac
}
