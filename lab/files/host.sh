#!/bin/sh
# Becomes a host: joins its control groups and its network, then, as PID 1 of namespaces of its own, its root file
# system, then systemd.
#
#   host.sh enter NAME FOLDER IMAGE NETNS CGROUP…    from outside
#   host.sh init NAME FOLDER IMAGE                   from the line that enter ends with
set -eu
stage=$1 name=$2 folder=$3 image=$4

if [ "$stage" = enter ]; then
    netns=$5
    shift 5
    for group in "$@"; do
        echo $$ > "$group/cgroup.procs"
    done
    exec nsenter --net="$netns" unshare -m -u -i -p -C --fork --kill-child=SIGKILL "$0" init "$name" "$folder" "$image"
fi

root=$folder/root
mount --make-rprivate /
mount -t overlay "$name" -o "lowerdir=$image,upperdir=$folder/upper,workdir=$folder/work,index=off,xino=off" "$root"
hostname "$name"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${number%%:*}" "$root/dev/${number##*:}"
done
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/.old"
cd "$root"
pivot_root . .old
cd /
umount -l /.old
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    /lib/systemd/systemd --show-status=no --log-target=journal
