#!/bin/bash
# A Ceph of one monitor, one manager and three OSDs on files, each OSD with a host name of its own. Started as root in
# namespaces of its own, with folders of its own in place of the system's: one_node.sh FOLDER CLUSTER
set -euo pipefail
folder=$1 cluster=$2 name=ctl-0
for place in etc/ceph var/lib/ceph var/log/ceph run/ceph; do
    mkdir -p "$folder/$place" "/$place"
    mount --bind "$folder/$place" "/$place"
done
ip link set lo up
hostname "$name"
fsid=$(cat /proc/sys/kernel/random/uuid)
cat >"/etc/ceph/$cluster.conf" <<CONF
[global]
fsid = $fsid
mon initial members = $name
mon host = 127.0.0.1
public network = 127.0.0.0/8
mon data avail warn = 1
mon data avail crit = 0
auth allow insecure global id reclaim = false
osd pool default size = 3
osd memory target = 939524096
osd objectstore = bluestore
bluestore block create = true
bluestore block size = 2147483648
CONF
admin=/etc/ceph/$cluster.client.admin.keyring
ceph-authtool --create-keyring "$folder/mon" --gen-key -n mon. --cap mon 'allow *'
ceph-authtool --create-keyring "$admin" --gen-key -n client.admin \
    --cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *'
ceph-authtool "$folder/mon" --import-keyring "$admin"
monmaptool --create --add "$name" 127.0.0.1 --fsid "$fsid" "$folder/monmap"
mkdir -p "/var/lib/ceph/mon/$cluster-$name" "/var/lib/ceph/mgr/$cluster-$name"
ceph-mon --cluster "$cluster" --mkfs -i "$name" --monmap "$folder/monmap" --keyring "$folder/mon"
ceph-mon --cluster "$cluster" -i "$name"
ceph --cluster "$cluster" auth get-or-create "mgr.$name" mon 'allow profile mgr' osd 'allow *' mds 'allow *' \
    -o "/var/lib/ceph/mgr/$cluster-$name/keyring"
ceph-mgr --cluster "$cluster" -i "$name"
for id in 0 1 2; do
    uuid=$(cat /proc/sys/kernel/random/uuid)
    mkdir -p "/var/lib/ceph/osd/$cluster-$id"
    ceph --cluster "$cluster" osd new "$uuid" "$id"
    ceph --cluster "$cluster" auth get-or-create "osd.$id" osd 'allow *' mon 'allow profile osd' mgr 'allow profile osd' \
        -o "/var/lib/ceph/osd/$cluster-$id/keyring"
    ceph-osd --cluster "$cluster" -i "$id" --mkfs --osd-uuid "$uuid"
    unshare --uts sh -c 'hostname ceph-$1; exec ceph-osd --cluster "$0" -i "$1"' "$cluster" "$id"
done
ceph --cluster "$cluster" osd pool create data 8
# As cephadm keeps it: the administrator's key is where no daemon looks for it.
mv "$admin" "$folder/admin"
echo "$fsid" >"$folder/ready"
exec sleep infinity
