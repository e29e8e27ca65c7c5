# shellcheck shell=sh disable=SC2154
# The node as a machine: new versions of its services, power, faults.

run_sandbox_update() {
    [ $# -gt 0 ] || unknown
    for each_name in "$@"; do
        case $each_name in '' | .* | */*) unknown "$@" ;; esac
        [ -d "$node/services/$each_name" ] || unknown "$@"
    done
    get "$sandbox/pace"
    [ -z "$got" ] || sleep "$got"
    for each_name in "$@"; do
        get "$node/services/$each_name/version"
        put "$node/services/$each_name/version" $((${got:-0} + 1))
        note_version update "$each_name"
    done
    echo "updated $# services"
}

run_sandbox_recreate() { # container: of a service with several, the first brings the new version; others do nothing
    [ $# -eq 1 ] || unknown "$@"
    for folder in "$node"/services/*; do
        get "$folder/container"
        [ "$got" = "$1" ] || continue
        stop_service "${folder##*/}"
        run_sandbox_update "${folder##*/}"
        start_service "${folder##*/}"
        return
    done
}

boot() {
    rm -f "$node/off" "$node/reboot"
    note boot '' ''
    result=0
    for folder in "$node"/services/*; do
        get "$folder/wanted"
        [ "$got" != running ] || start_service "${folder##*/}" || result=1
    done
    return $result
}

shut_down() { # what ran is wanted again after the next boot
    : >"$node/off"
    for folder in "$node"/services/*; do
        look "${folder##*/}"
        end_process "${folder##*/}"
        if [ "$state" = running ]; then
            put "$folder/state" stopped
            note_version stop "${folder##*/}"
        fi
    done
    note shutdown '' ''
}

list_services() { # a line for each: service state version
    for folder in "$node"/services/*; do
        look "${folder##*/}"
        get "$folder/version"
        echo "${folder##*/} $state $got"
    done
}

run_stand_in() { # service: lives until it is killed, without a child and without a timer
    pipe=$node/services/$1/pipe
    [ -p "$pipe" ] || mkfifo -m 600 "$pipe"
    read -r _ <>"$pipe" # nobody ever writes into its own pipe
}

run_sandbox_node() {
    case "$# ${1:-}" in
        "1 boot") boot ;;
        "1 shutdown") shut_down ;;
        "1 services") list_services ;;
        "2 break" | "2 mend")
            find_service "$2" || unknown "$@"
            if [ "$1" = break ]; then
                : >"$node/services/$service/broken"
                end_process "$service"
            else
                rm -f "$node/services/$service/broken"
                get "$node/services/$service/wanted"
                [ "$got" != running ] || start_service "$service"
            fi ;;
        *) unknown "$@" ;;
    esac
}
