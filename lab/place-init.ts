/**
 * The first process of a place, in fresh network, mount, PID and UTS namespaces (bash). It says `ready` on stdout when the place is usable, then
 * reaps whatever is left to it; when it ends, everything in the place ends.
 *
 * `machine` places (nodes, the authority) see a writable overlay of the root file system with a /run of their own (a folder of the lab's run
 * folder, so that the outside reaches their sockets), an empty /tmp and their own bpffs; the checkout and every other mounted file system are bound
 * into it. `plain` places (router, operator) share the file system.
 */
export const PLACE_INIT = `
set -eu
kind=$1 name=$2 folder=$3 checkout=$4 node=$5
mount --make-rprivate /
echo "$name" >/proc/sys/kernel/hostname

overlay_root() {
  local base=$folder/root point
  mount -t tmpfs -o mode=755 symbolon-lab "$base"
  mkdir "$base/upper" "$base/work" "$base/merged"
  if ! mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" symbolon-lab "$base/merged" 2>/dev/null; then
    echo "no overlay of / here: the file system of $name is shared with the machine" >&2
    mount --bind / "$base/merged"
  fi
  # an overlay shows what lies under mount points; bring the mounts themselves
  while read -r _ _ _ _ point _; do
    point=$(printf '%b' "$point")
    case $point in /|/proc|/proc/*|/sys|/sys/*|/dev|/dev/*|/run|/run/*|/tmp|/tmp/*) continue ;; esac
    [ ! -e "$base/merged$point" ] || mount --bind "$point" "$base/merged$point" || true
  done </proc/self/mountinfo
  mount --rbind /dev "$base/merged/dev"
  mount --bind "$folder/run" "$base/merged/run"
  mount -t tmpfs -o mode=1777 symbolon-lab "$base/merged/tmp"
  mkdir -p "$base/merged$checkout"
  mount --bind "$checkout" "$base/merged$checkout"
  # uids of workloads may not be able to look into the folder where node lies
  touch "$base/merged/run/lab/node"
  mount --bind "$node" "$base/merged/run/lab/node"
  cd "$base/merged"
  mkdir -p .old-root
  pivot_root . .old-root
  cd /
}

if [ "$kind" = machine ]; then overlay_root; fi
mount -t proc proc /proc
if [ "$kind" = machine ]; then
  mount -t sysfs sysfs /sys
  umount -l /.old-root
  rmdir /.old-root 2>/dev/null || true
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount -t bpf bpf /sys/fs/bpf
  mkdir -p /run/netns /run/lock /run/symbolon
else
  mount --rbind /sys/fs/cgroup "$folder/cgroup"
  mount -t sysfs sysfs /sys
  mount --move "$folder/cgroup" /sys/fs/cgroup
  mount -t bpf bpf /sys/fs/bpf
fi
echo ready
exec >/dev/null 2>&1 </dev/null
while :; do sleep 100000 & wait $!; done
`;
