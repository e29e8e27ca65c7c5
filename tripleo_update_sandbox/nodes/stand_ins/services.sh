# shellcheck shell=sh disable=SC2154 # variables of command.sh
# The services of a node: their names, whether they run, starting and stopping them.

note() { # event service version; all that one command does has one time
    : "${stamp:=$(date +%s.%6N)}"
    printf '{"time": %s, "node": "%s", "event": "%s", "service": "%s", "version": "%s"}\n' \
        "$stamp" "$name" "$1" "$2" "$3" >>"$node/journal.jsonl"
}

put() { # file text; a rename would cost a process, and there are hundreds of files
    printf '%s\n' "$2" >"$1"
}

get() { # file; sets $got, empty if there is no such file. Just when it is written it can look empty.
    got=
    [ -r "$1" ] || return 0
    for _ in 1 2 3 4 5; do
        read -r got <"$1" && return 0
    done
}

find_service() { # unit, container or resource; sets $service; fails if this node has no such service
    service=${1%.service}
    if [ -r "$node/units/$service" ]; then
        read -r service _ <"$node/units/$service"
        [ -d "$node/services/$service" ]
        return
    fi
    service=${service#tripleo_}
    while read -r pattern owner; do
        # shellcheck disable=SC2254 # it is a pattern
        case $service in $pattern) service=$owner; break ;; esac
    done <"$node/names"
    case $service in '' | .* | */*) return 1 ;; esac
    [ -d "$node/services/$service" ]
}

alive() { # service folder: is its process, with that start and of this boot, there?
    [ -r "$1/pid" ] || return 1
    read -r pid began boot <"$1/pid"
    read -r now </proc/sys/kernel/random/boot_id
    [ "$boot" = "$now" ] && [ "$(started "$pid")" = "$began" ]
}

started() { # pid: when it started, in ticks
    [ -r "/proc/$1/stat" ] || return 0
    read -r line <"/proc/$1/stat" 2>/dev/null || return 0
    # shellcheck disable=SC2086 # the fields are what is wanted
    set -- ${line##*) }
    [ "$1" = Z ] || echo "${20}"
}

look() { # service; sets $state to running, stopped or failed
    get "$node/services/$1/state"
    state=${got:-stopped}
    if [ -e "$node/services/$1/broken" ]; then
        state=failed
    elif [ "$state" = running ] && [ -e "$node/services/$1/process" ] && ! alive "$node/services/$1"; then
        state=failed
    fi
}

note_version() { # event service
    get "$node/services/$2/version"
    note "$1" "$2" "$got"
}

want() { # service running|stopped
    get "$node/services/$1/wanted"
    [ "$got" = "$2" ] || put "$node/services/$1/wanted" "$2"
}

start_service() { # service
    look "$1"
    [ "$state" = running ] && return 0
    want "$1" running
    if [ -e "$node/services/$1/broken" ]; then
        put "$node/services/$1/state" failed
        echo "$me: $1 on $name failed to start" >&2
        return 1
    fi
    if [ -e "$node/services/$1/process" ]; then
        # Whoever starts it, it is the node's, as if systemd had started it, and nobody's child: it knows nothing of the
        # job. It belongs to the sandbox, which ends it when it goes down.
        get "$sandbox/member"
        env -i PATH="$PATH" SANDBOX_NODE="$node" TRIPLEO_UPDATE_MEMBER="$got" \
            setsid sh "$node/bin/stand-in" "$1" </dev/null >/dev/null 2>&1 &
        read -r boot </proc/sys/kernel/random/boot_id
        put "$node/services/$1/pid" "$! $(started $!) $boot"
    fi
    put "$node/services/$1/state" running
    note_version start "$1"
}

end_process() { # service
    if alive "$node/services/$1"; then
        kill "$pid" 2>/dev/null
    fi
    rm -f "$node/services/$1/pid"
}

stop_service() { # service
    look "$1"
    want "$1" stopped
    [ "$state" = stopped ] && return 0
    end_process "$1"
    put "$node/services/$1/state" stopped
    note_version stop "$1"
}

each() { # function service...: goes on after a failure, and fails then
    each_function=$1
    shift
    each_failed=0
    for each_name in "$@"; do
        "$each_function" "$each_name" || each_failed=1
    done
    return $each_failed
}
