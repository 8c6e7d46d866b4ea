#!/usr/bin/env bash
# Everything between a fresh machine and one that can build: checks what it cannot install, installs what is missing. Quick where nothing is missing.
# Exit 3: a prerequisite is missing, and nothing has been touched.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
have() { command -v "$1" >/dev/null 2>&1; }
# at_least 6.18.4-x 6.6: by numbers, up to the first thing that is none
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

# --- what a person must see to; each missing one is one sentence ---
missing=()
[ "$(id -u)" = 0 ] || missing+=('not root: namespaces and BPF programs need it; run this as root (for example with sudo -E).')
kernel=$(uname -r)
at_least "${kernel%%-*}" 6.6 || missing+=("Linux $kernel is too old: install a kernel of 6.6 or newer (tcx links) and boot it.")
[ -r /sys/kernel/btf/vmlinux ] || missing+=('no BTF: /sys/kernel/btf/vmlinux is missing; boot a kernel built with CONFIG_DEBUG_INFO_BTF=y.')
grep -q ' cgroup2 ' /proc/mounts || missing+=('no cgroup2: mount one, for example: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified')
if ! have node || ! have npm; then
  missing+=('no Node.js: install Node 20.19 or newer, with npm, and put both on the PATH.')
elif ! at_least "$(node -p process.versions.node)" 20.19; then
  missing+=("Node $(node -p process.versions.node) is too old: install 20.19 or newer and put it first on the PATH.")
fi
if ! have terraform; then
  missing+=('no Terraform: install Terraform 1.11 or newer (https://developer.hashicorp.com/terraform/install) and put it on the PATH.')
else
  terraform=$(CHECKPOINT_DISABLE=1 terraform version 2>/dev/null | sed -n '1s/^[A-Za-z]* v//p')
  at_least "${terraform:-0}" 1.11 || missing+=("Terraform ${terraform:-of an unknown version} is too old: install 1.11 or newer and put it first on the PATH.")
fi
if [ ${#missing[@]} -gt 0 ]; then
  for sentence in "${missing[@]}"; do say "$sentence" >&2; done
  exit 3
fi

# --- system packages: only those whose programs or files are not there ---
packages=()
program() { have "$1" || packages+=("$2"); }
file() { [ -e "$1" ] || packages+=("$2"); }
program clang clang
program llvm-strip llvm
program bpftool bpftool
program ip iproute2
program ping iputils-ping
program nsenter util-linux
program sysctl procps
program python3 python3
file /usr/include/bpf/bpf_helpers.h libbpf-dev
file /usr/include/linux/bpf.h linux-libc-dev
ldconfig -p | grep -q 'libbpf\.so\.1' || packages+=(libbpf1)

# The rule is that of authority/store/sqlite.ts. 13 comes compiled, 12 does not.
sqlite=$(node -p "Number(process.versions.napi) >= 10 ? 'better-sqlite3' : 'better-sqlite3-12'")
sqlite_works() { node -e "new (require('$sqlite'))(':memory:').close()" >/dev/null 2>&1; }
if [ "$sqlite" = better-sqlite3-12 ] && ! sqlite_works; then
  program gcc gcc
  program g++ g++
  program make make
fi

if [ ${#packages[@]} -gt 0 ]; then
  if ! have apt-get; then
    say "these Debian packages are missing, and this machine has no apt-get: ${packages[*]}; install what corresponds to them." >&2
    exit 3
  fi
  say "installing the system packages ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt() { apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null; }
  {
    flock 8 # two checkouts may be set up at the same time
    if ! apt install --simulate "${packages[@]}" >/dev/null 2>&1; then
      # somebody else's apt-get may hold the lists
      for try in 1 2 3 4 5 6; do apt update && break; [ "$try" = 6 ] || sleep 10; done
    fi
    apt install -y --no-install-recommends "${packages[@]}"
  } 8>/run/lock/symbolon-setup.lock
fi

# --- npm packages, from the lock file; the checkout is set up by one process at a time ---
exec 9<package-lock.json
flock 9
installed=node_modules/.package-lock.json # npm writes it last
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
  say 'installing npm packages from package-lock.json'
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi

if ! sqlite_works; then
  say "compiling $sqlite (about a minute)"
  gyp=$(npm root --global)/npm/node_modules/node-gyp/bin/node-gyp.js
  [ -e "$gyp" ] || gyp=$(dirname "$(readlink -f "$(command -v npm)")")/../node_modules/node-gyp/bin/node-gyp.js
  headers=$(dirname "$(dirname "$(node -p process.execPath)")")
  # The headers of this very Node, where they lie beside it; else node-gyp fetches them from nodejs.org. A user's own npm setting may name another Node's.
  [ ! -e "$headers/include/node/node.h" ] || export npm_config_nodedir=$headers
  log=$(mktemp)
  if ! (cd "node_modules/$sqlite" && JOBS=max node "$gyp" rebuild --release --force_build=1) >"$log" 2>&1 || ! sqlite_works; then
    tail -n 40 "$log" >&2
    say "$sqlite could not be compiled (it needs gcc, g++, make and python3); see above." >&2
    exit 1
  fi
  rm -f "$log"
fi
