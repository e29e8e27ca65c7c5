# shellcheck shell=sh disable=SC2154,SC2034 # variables of the other files
# The Pacemaker cluster, as the nodes beside this one and their services make it up.

in_cluster() { # node folder
    [ ! -e "$1/off" ] || return 1
    get "$1/services/pacemaker/state"
    [ "$got" = running ]
}

runs_there() { # node folder, service
    in_cluster "$1" || return 1
    [ ! -e "$1/services/$2/broken" ] || return 1
    get "$1/services/$2/state"
    [ "$got" = running ]
}

bundles() { # prints the services of this node that Pacemaker runs
    for folder in "$node"/services/*/resource; do
        [ -e "$folder" ] || continue
        folder=${folder%/resource}
        echo "${folder##*/}"
    done
}

can_lead() { # node folder, resource, service
    [ ! -e "$1/banned/$2" ] && runs_there "$1" "$3"
}

leader() { # resource service; sets $leader, choosing one if need be; empty if none can
    get "$leaders/$1"
    leader=$got
    [ -n "$leader" ] && can_lead "$nodes/$leader" "$1" "$2" && return 0
    for other in "$nodes"/*; do
        if can_lead "$other" "$1" "$2"; then
            leader=${other##*/}
            mkdir -p "$leaders"
            put "$leaders/$1" "$leader"
            return 0
        fi
    done
    leader=
}

find_copies() { # service; sets $copies: how those that Pacemaker runs stand to each other
    get "$node/services/$1/copies"
    copies=$got
}

need_cluster() {
    in_cluster "$node" && return 0
    echo "Error: cluster is not currently running on this node" >&2
    exit "$1"
}

vip_service() { # address; sets $service to the one whose leader holds it
    service=
    [ -r "$sandbox/vips" ] || return 1
    while read -r address owner; do
        [ "$address" = "$1" ] && service=$owner && return 0
    done <"$sandbox/vips"
    return 1
}

vip_leader() { # address service; sets $leader: a VIP of its own service goes with that service's leader
    if [ "$2" = haproxy ]; then leader "ip-$1" haproxy; return 0; fi
    get "$node/services/$2/resource"
    leader "${got:-ip-$1}" "$2"
}

show_addresses() { # like 'ip -o address show'
    index=1
    if [ -r "$node/addresses" ]; then
        while read -r address; do
            index=$((index + 1))
            echo "$index: eth$index    inet $address/24 brd + scope global eth$index"
        done <"$node/addresses"
    fi
    in_cluster "$node" && [ -r "$sandbox/vips" ] || return 0
    while read -r vip owner; do
        vip_leader "$vip" "$owner"
        [ "$leader" = "$name" ] && echo "$index: eth$index    inet $vip/32 brd + scope global eth$index"
    done <"$sandbox/vips"
    return 0
}

run_ip() {
    case "$*" in
        "-o address show" | "-o addr show" | "-o a" | "-o addr" | "-o address") show_addresses ;;
        *) unknown "$@" ;;
    esac
}

locate() { # resource
    need_cluster 102
    if ! find_service "$1"; then
        echo "Error performing operation: No such device or address" >&2
        exit 105
    fi
    case $1 in
        ip-*) vip_service "${1#ip-}" && vip_leader "${1#ip-}" "$service" || leader=; copies=one-runs ;;
        *) leader "$1" "$service"; find_copies "$service" ;;
    esac
    only='' mark=''
    case $copies in
        one-runs) only=${leader:-.} ;;
        one-leads) mark=' Master' ;;
    esac
    found=
    for other in "$nodes"/*; do
        there=${other##*/}
        if [ "${only:-$there}" = "$there" ] && runs_there "$other" "$service"; then
            found=yes
            if [ "$there" = "$leader" ]; then echo "resource $1 is running on: $there$mark"
            else echo "resource $1 is running on: $there"; fi
        fi
    done
    [ -n "$found" ] || echo "resource $1 is NOT running" >&2
}

members() { # prints names of the nodes that are in the cluster (on) or could be (off)
    for other in "$nodes"/*; do
        [ -d "$other/services/pacemaker" ] || continue
        if in_cluster "$other"; then there=on; else there=off; fi
        [ "$there" = "$1" ] && printf ' %s' "${other##*/}"
    done
}

cluster_start() {
    start_service pacemaker || return 1
    # shellcheck disable=SC2046 # names of services have no blanks
    each start_service $(bundles)
}

cluster_stop() {
    # shellcheck disable=SC2046
    each stop_service $(bundles)
    stop_service pacemaker
}


restart_resource() { # resource node
    need_cluster 102
    if [ "$2" != "$name" ]; then unknown --restart --node "$2"; fi
    find_service "$1" && [ -e "$node/services/$service/resource" ] || unknown --restart "$1"
    stop_service "$service"
    start_service "$service"
}

run_crm_resource() {
    resource='' action='' target=$name
    while [ $# -gt 0 ]; do
        case $1 in
            -r | --resource) [ $# -gt 1 ] || unknown "$1"; resource=$2; shift ;;
            --resource=*) resource=${1#*=} ;;
            -W | --locate) action=locate ;;
            --wait) action=wait ;;
            --restart) action=restart ;;
            -N | --node) [ $# -gt 1 ] || unknown "$1"; target=$2; shift ;;
            -C | --cleanup | -R | --refresh) action=cleanup ;;
            -Q | --quiet) ;;
            *) unknown "$@" ;;
        esac
        shift
    done
    case $action in
        locate) [ -n "$resource" ] || unknown --locate; locate "$resource" ;;
        restart) restart_resource "$resource" "$target" ;;
        wait | cleanup) need_cluster 102 ;;
        *) unknown "--resource $resource" ;;
    esac
}

change_resource() { # action resource [node] [--wait...]
    need_cluster 1
    action=$1 resource=$2 target=${3:-$name}
    case $target in -*) target=$name ;; esac
    find_service "$resource" && case $target in */* | .*) false ;; *) [ -d "$nodes/$target" ] ;; esac || {
        echo "Error: no $resource or no $target" >&2
        exit 1
    }
    case $action in
        ban)
            mkdir -p "$nodes/$target/banned" && : >"$nodes/$target/banned/$resource"
            leader "$resource" "$service"
            note drain "$service" "$resource away from $target" ;;
        clear)
            rm -f "$nodes"/*/banned/"$resource"
            note restore "$service" "$resource" ;;
        move)
            mkdir -p "$leaders" && put "$leaders/$resource" "$target"
            note drain "$service" "$resource to $target" ;;
        cleanup) ;;
    esac
}

properties=$sandbox/properties

property() { # name default; sets $got to what the cluster has for it
    get "$properties/$1"
    got=${got:-$2}
}

change_property() { # set|unset NAME[=VALUE]
    need_cluster 1
    case ${2%%=*} in
        stonith-enabled | maintenance-mode | stop-all-resources) ;;
        *) unknown property "$@" ;;
    esac
    mkdir -p "$properties"
    case $1 in
        set) put "$properties/${2%%=*}" "${2#*=}" ;;
        unset) rm -f "$properties/$2" ;;
        *) unknown property "$@" ;;
    esac
}

run_crm_attribute() { # of the cluster's properties
    need_cluster 102
    case "$*" in
        "--type crm_config --name stonith-enabled --query --quiet")
            property stonith-enabled ''
            [ -n "$got" ] || exit 105
            echo "$got" ;;
        "--type crm_config --name stonith-enabled --update true" | \
        "--type crm_config --name stonith-enabled --update false") change_property set "stonith-enabled=$6" ;;
        *) unknown "$@" ;;
    esac
}

show_cluster() { # like 'crm_mon --as-xml'
    online=0 all=0
    for other in "$nodes"/*; do
        [ -d "$other/services/pacemaker" ] || continue
        all=$((all + 1))
        in_cluster "$other" && online=$((online + 1))
    done
    quorum=false
    [ $((online * 2)) -gt $all ] && quorum=true
    printf '<?xml version="1.0"?>\n<crm_mon version="2.1.2">\n  <summary>\n'
    printf '    <current_dc present="true" name="%s" with_quorum="%s"/>\n' "$name" "$quorum"
    printf '    <nodes_configured number="%s"/>\n' "$all"
    property stonith-enabled true; fencing=$got
    property maintenance-mode false; alone=$got
    property stop-all-resources false
    printf '    <cluster_options stonith-enabled="%s" maintenance-mode="%s" stop-all-resources="%s"/>\n' \
        "$fencing" "$alone" "$got"
    printf '  </summary>\n  <nodes>\n'
    for other in "$nodes"/*; do
        [ -d "$other/services/pacemaker" ] || continue
        there=false
        in_cluster "$other" && there=true
        printf '    <node name="%s" id="%s" online="%s" standby="false" standby_onfail="false" maintenance="false"/>\n' \
            "${other##*/}" "${other##*-}" "$there"
    done
    printf '  </nodes>\n'
    show_resources
    printf '</crm_mon>\n'
}

run_crm_node() {
    [ "${1:-}" = -n ] || unknown "$@"
    echo "$name"
}

run_crm_mon() {
    case "$*" in
        --as-xml | "--output-as=xml" | "-1 --output-as=xml" | "--one-shot --output-as=xml") ;;
        *) unknown "$@" ;;
    esac
    need_cluster 102
    show_cluster
}

run_pcs() {
    case "${1:-} ${2:-}" in
        "cluster start") cluster_start ;;
        "cluster stop") cluster_stop ;;
        "cluster status" | "status "*)
            need_cluster 1
            echo "Online: [$(members on) ]"
            off=$(members off)
            [ -z "$off" ] || echo "OFFLINE: [$off ]" ;;
        "resource ban" | "resource clear" | "resource move" | "resource cleanup")
            [ $# -ge 3 ] || unknown "$@"
            shift
            change_resource "$@" ;;
        "property set" | "property unset")
            [ $# -eq 3 ] || unknown "$@"
            change_property "$2" "$3" ;;
        *) unknown "$@" ;;
    esac
}
