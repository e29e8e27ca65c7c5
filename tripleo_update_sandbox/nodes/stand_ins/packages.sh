# shellcheck shell=sh disable=SC2154
# Packages: packages/NAME is the installed version, the sandbox's repo/NAME the one that can be had. A unit's file
# units/NAME has the service and the package it belongs to.

can_update() { # package
    get "$sandbox/repo/$1"
    there=$got
    get "$node/packages/$1"
    [ -n "$got" ] && [ -n "$there" ] && [ "$got" -lt "$there" ]
}

update_package() { # package
    put "$node/packages/$1" "$there"
    for folder in "$node"/services/*; do
        get "$folder/package"
        [ "$got" = "$1" ] || continue
        put "$folder/version" "$there"
        note_version update "${folder##*/}"
    done
}

run_yum() {
    while :; do case ${1:-} in -q | -y | --quiet | --assumeyes) shift ;; *) break ;; esac; done
    action=${1:-}
    [ $# -gt 0 ] && shift
    case $action in check-update | update) ;; *) unknown "$action" "$@" ;; esac
    if [ $# -eq 0 ]; then
        for each_package in "$node"/packages/*; do set -- "$@" "${each_package##*/}"; done
    fi
    result=0
    [ "$action" = check-update ] || { get "$sandbox/pace"; [ -z "$got" ] || sleep "$got"; }
    for each_package in "$@"; do
        case $each_package in '' | .* | */* | -*) unknown "$action" "$each_package" ;; esac
        can_update "$each_package" || continue
        if [ "$action" = update ]; then
            update_package "$each_package"
        else
            echo "$each_package.noarch $there-1 sandbox"
            result=100
        fi
    done
    exit $result
}

run_rpm() {
    action=${1:-}
    [ $# -gt 0 ] && shift
    [ "${1:-}" != --queryformat ] || shift 2
    case $action in
        -qa)
            for each_package in "$node"/packages/*; do
                get "$each_package"
                echo "${each_package##*/} $got-1.noarch"
            done ;;
        -qf)
            result=0
            for each_path in "$@"; do
                unit=${each_path##*/}
                read -r _ package <"$node/units/${unit%.service}" 2>/dev/null || package=
                if [ -n "$package" ]; then echo "$package"
                else echo "error: file $each_path: No such file or directory" >&2; result=1; fi
            done
            exit $result ;;
        -ql)
            for each_unit in "$node"/units/*; do
                read -r _ package <"$each_unit"
                for each_package in "$@"; do
                    [ "$each_package" != "$package" ] || echo "/usr/lib/systemd/system/${each_unit##*/}.service"
                done
            done ;;
        *) unknown "$action" "$@" ;;
    esac
}
