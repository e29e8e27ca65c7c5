#!/bin/bash
# What podman says of a monitor that cephadm deployed, and what is seen inside its container: of Ceph, the configuration
# and the monitor's data, mounted under the names that cephadm's get_container_mounts() gives them, and nothing else.
# The rest is the host's. FOLDER, FSID and CLUSTER come from the environment.
set -euo pipefail
case "$1" in
    ps) printf 'ceph-%s-mon-ctl-0\tUp 3 days\n' "$FSID" ;;
    exec)
        shift 2
        exec unshare --mount bash -c '
            mkdir -p "$FOLDER/empty" "$FOLDER/inside/etc" "$FOLDER/inside/mon/ceph-ctl-0"
            cp "/etc/ceph/$CLUSTER.conf" "$FOLDER/inside/etc/ceph.conf"
            mount --bind "/var/lib/ceph/mon/$CLUSTER-ctl-0" "$FOLDER/inside/mon/ceph-ctl-0"
            mount --rbind "$FOLDER/inside/mon" /var/lib/ceph/mon
            mount --bind "$FOLDER/inside/etc" /etc/ceph
            exec "$@"' container "$@"
        ;;
    *) exit 125 ;;
esac
