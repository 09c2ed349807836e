# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Which labs exist, and whose they are. A lab is a directory LAB_ROOT/ID; everything else that it
# consists of carries the id in its name: namespaces ek-ID-ROLE, pins lab-ID and lab-ID-hosts. So a
# lab can be removed from its id alone, however little of it was made and whoever was killed.

LAB_ROOT=/run/evenkeel-lab
LAB_PINS=/sys/fs/bpf/evenkeel

lab_dir() { printf '%s/%s' "$LAB_ROOT" "$1"; }
lab_ns() { printf 'ek-%s-%s' "$1" "$2"; }
lab_pin_dir() { printf '%s/lab-%s' "$LAB_PINS" "$1"; }
lab_host_pins() { printf '%s/lab-%s-hosts' "$LAB_PINS" "$1"; }

lab_check_id() {
  [[ $1 =~ ^[a-z0-9]{1,24}$ ]] || die "'$1' is not a lab id" "Use 1 to 24 of a-z and 0-9"
}

# A process is known by its number and its start time: numbers are used again.
process_start() { awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null; }

# lab_claim ID OWNER: makes the directory. OWNER 0: the lab stays until someone removes it.
# The rename makes the directory appear with its owner inside, and fails if there is one already.
lab_claim() {
  local dir new
  dir=$(lab_dir "$1")
  mkdir -p "$LAB_ROOT"
  new=$(mktemp -d "$LAB_ROOT/.new.XXXXXX")
  chmod 755 "$new"
  printf '%s %s\n' "$2" "$(process_start "$2")" >"$new/owner"
  if ! mv -T "$new" "$dir" 2>/dev/null; then
    rm -rf "$new"
    return 1
  fi
}

lab_exists() { [[ -d $(lab_dir "$1") ]]; }

# True where the process that made the lab is gone. Labs of nobody in particular are kept.
lab_abandoned() {
  local pid start
  read -r pid start <"$(lab_dir "$1")/owner" || return 0
  [[ $pid != 0 ]] || return 1
  [[ -z $start || $(process_start "$pid") != "$start" ]]
}

# Every id of which anything is left, also without its directory.
lab_list() {
  {
    [[ ! -d $LAB_ROOT ]] || find "$LAB_ROOT" -mindepth 1 -maxdepth 1 -name '[a-z0-9]*' -printf '%f\n'
    ip netns list | awk '{ print $1 }' | sed -n 's/^ek-\([a-z0-9]*\)-[a-z0-9]*$/\1/p'
    [[ ! -d $LAB_PINS ]] || find "$LAB_PINS" -maxdepth 1 -name 'lab-*' -printf '%f\n' |
      sed -n 's/^lab-\([a-z0-9]*\)\(-hosts\)\?$/\1/p'
  } | sort -u
}

lab_namespaces() { ip netns list | awk '{ print $1 }' | grep -E "^ek-$1-[a-z0-9]+\$" || true; }

# Runs a command in a namespace. Not `ip netns exec`: that mounts another /sys, in which the BPF
# file system and its pins are missing.
in_ns() {
  local ns=$1
  shift
  nsenter --net="/run/netns/$ns" -- "$@"
}
