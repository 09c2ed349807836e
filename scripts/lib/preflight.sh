# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the kernel and the user must offer before a lab or a kernel test can run. Each thing that is
# missing is named with its remedy; all of them at once.

PREFLIGHT_PROBLEMS=0

problem() {
  PREFLIGHT_PROBLEMS=$((PREFLIGHT_PROBLEMS + 1))
  printf '%smissing:%s %s\n         %s\n' "$EK_RED$EK_BOLD" "$EK_RESET" "$1" "$2" >&2
}

kernel_at_least() {  # MAJOR MINOR
  local major minor
  IFS=.- read -r major minor _ < <(uname -r)
  ((major > $1 || (major == $1 && minor >= $2)))
}

bpffs_mounted() { [[ $(stat -f -c %T /sys/fs/bpf 2>/dev/null) == bpf_fs ]]; }

check_bpffs() {
  bpffs_mounted && return
  mount -t bpf bpf /sys/fs/bpf 2>/dev/null && return
  problem "a BPF file system on /sys/fs/bpf" \
    "mount -t bpf bpf /sys/fs/bpf (in a container: run it with the host's /sys/fs/bpf, privileged)"
}

# Makes in a throw-away namespace the devices that the lab is made of.
check_network() {
  local script='
    ip link add ekp0 type veth peer name ekp1 || exit 11
    ip link add ekp2 type bridge || exit 12'
  local answer=0
  unshare --net true 2>/dev/null || {
    problem "network namespaces" "CONFIG_NET_NS=y, and CAP_SYS_ADMIN (containers: --privileged)"
    return
  }
  unshare --net sh -c "$script" >/dev/null 2>&1 || answer=$?
  case $answer in
    11) problem "veth devices" "modprobe veth (CONFIG_VETH)" ;;
    12) problem "bridge devices" "modprobe bridge (CONFIG_BRIDGE)" ;;
  esac
}

check_bpf() {
  [[ -r /sys/kernel/btf/vmlinux ]] ||
    problem "type information of the kernel (/sys/kernel/btf/vmlinux)" \
      "a kernel with CONFIG_DEBUG_INFO_BTF=y, as Debian's own"
  # A map is the least that anyone who may load programs can make.
  local name=ekp$$ pin=/sys/fs/bpf/evenkeel-preflight-$$
  bpffs_mounted || return 0
  if bpftool map create "$pin" type array key 4 value 4 entries 1 name "$name" >/dev/null 2>&1; then
    rm -f "$pin"
  else
    problem "permission to use bpf()" "run as root with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
  fi
}

# preflight: returns 0 where everything is there.
preflight() {
  PREFLIGHT_PROBLEMS=0
  if [[ $(id -u) -ne 0 ]]; then
    problem "root" "namespaces and XDP need it: sudo $0"
    return 1
  fi
  kernel_at_least 6 1 ||
    problem "Linux 6.1 or newer (this is $(uname -r))" "boot a newer kernel; Debian 12 has 6.1"
  check_bpffs
  check_bpf
  check_network
  [[ $PREFLIGHT_PROBLEMS -eq 0 ]]
}
