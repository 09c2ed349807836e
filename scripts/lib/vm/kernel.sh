# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The kernels of the virtual machine: Debian's own packages, fetched with apt's tools, whose
# signatures they check, but with package lists of their own. The host's sources, lists and
# packages stay as they are. All is kept in a cache outside the repository.

VM_CACHE=${EVENKEEL_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/evenkeel/vm}
VM_MIRROR=${EVENKEEL_VM_MIRROR:-http://deb.debian.org/debian}
VM_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
VM_KERNELS=(6.1 6.12)

# What the tests and the lab may ask a kernel for; the drivers of hardware are not among it.
VM_MODULE_DIRS=(
  crypto fs/9p fs/fscache fs/netfs fs/overlayfs lib net
  drivers/char drivers/net drivers/virtio
)
VM_MODULE_EXCLUDES=(drivers/net/ethernet drivers/net/wireless drivers/char/tpm)

vm_suite() {
  case $1 in
    6.1) echo bookworm ;;
    6.12) echo bookworm-backports ;;
  esac
}

vm_check_kernel() {
  [[ -n $(vm_suite "$1") ]] || die "there is no kernel '$1'" "Choose one of: ${VM_KERNELS[*]}"
}

# apt with lists and archives in the cache, for whoever calls.
vm_apt() {  # TOOL ARGUMENT...
  local tool=$1
  shift
  "$tool" -q -o Dir::Etc::SourceList="$VM_CACHE/apt/debian.sources" \
    -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$VM_CACHE/apt/lists" \
    -o Dir::Cache="$VM_CACHE/apt" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@"
}

vm_update_lists() {
  [[ -r $VM_KEYRING ]] || die "$VM_KEYRING is missing" "Install the package debian-archive-keyring"
  mkdir -p "$VM_CACHE/apt/lists/partial" "$VM_CACHE/apt/archives/partial"
  cat >"$VM_CACHE/apt/debian.sources" <<SOURCES
Types: deb
URIs: $VM_MIRROR
Suites: bookworm bookworm-backports
Components: main
Architectures: amd64
Signed-By: $VM_KEYRING
SOURCES
  vm_apt apt-get -o APT::Update::Error-Mode=any update >&2 ||
    die "the package lists of $VM_MIRROR cannot be fetched; apt's message is above" \
      "Without a network: fill $VM_CACHE elsewhere and copy it. Another mirror: EVENKEEL_VM_MIRROR"
}

# linux-image-amd64 is empty; it depends on the newest kernel of its suite.
vm_newest_package() {  # SUITE
  local package
  package=$(vm_apt apt-cache depends "linux-image-amd64/$1" |
    awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
  [[ -n $package ]] || die "$VM_MIRROR has no linux-image-amd64 in $1" \
    "Once Debian has moved the suite: EVENKEEL_VM_MIRROR=http://archive.debian.org/debian"
  echo "$package"
}

vm_unpack() {  # DEB DIRECTORY
  local members=(./boot) dir
  for dir in "${VM_MODULE_DIRS[@]}"; do members+=("./lib/modules/*/kernel/$dir"); done
  members+=('./lib/modules/*/modules.*')
  local excludes=()
  for dir in "${VM_MODULE_EXCLUDES[@]}"; do excludes+=(--exclude="*/kernel/$dir"); done
  # Not every kernel has every directory: tar's complaints and its status say no more than that.
  dpkg-deb --fsys-tarfile "$1" |
    tar -x -C "$2" --wildcards "${excludes[@]}" "${members[@]}" 2>/dev/null || true
  [[ -n $(vm_file "$2" 'boot/vmlinuz-*') && -n $(vm_file "$2" 'lib/modules/*/kernel/net/9p/*') ]] ||
    die "$1 could not be unpacked, or is no kernel" "Is $VM_CACHE full? df -h $VM_CACHE"
}

vm_file() {  # DIRECTORY PATTERN: the first match
  compgen -G "$1/$2" | head -n 1 || true
}

vm_release_of() { basename "$(vm_file "$1" 'lib/modules/*')"; }

vm_fetch() {  # SERIES
  local package work=$VM_CACHE/$1.new
  step "Fetching Debian's kernel $1 into $VM_CACHE"
  vm_update_lists
  package=$(vm_newest_package "$(vm_suite "$1")")
  rm -rf "$work"
  mkdir -p "$work"
  (cd "$work" && vm_apt apt-get download "$package" >&2) ||
    die "$package could not be fetched; apt's message is above" "Is there a way to $VM_MIRROR?"
  vm_unpack "$(vm_file "$work" '*.deb')" "$work"
  rm -f "$work"/*.deb
  depmod -b "$work" "$(vm_release_of "$work")" 2>/dev/null ||
    die "depmod failed for $(vm_release_of "$work")"
  vm_build_initramfs "$work"
  rm -rf "${VM_CACHE:?}/$1"
  mv "$work" "$VM_CACHE/$1"
  note "Linux $(vm_release_of "$VM_CACHE/$1") is there"
}

# vm_kernel SERIES: fetches it where it is not there; prints its directory.
vm_kernel() {
  mkdir -p "$VM_CACHE" || die "cannot make $VM_CACHE" "Name another place with EVENKEEL_VM_CACHE"
  exec {VM_LOCK}>"$VM_CACHE/lock"
  flock "$VM_LOCK"
  [[ -e $VM_CACHE/$1/initramfs ]] || vm_fetch "$1"
  exec {VM_LOCK}>&-
  # This version's /init, whatever version filled the cache.
  cmp -s "$VM_CACHE/$1/init" "$EK_ROOT/scripts/lib/vm/init" || vm_build_initramfs "$VM_CACHE/$1"
  echo "$VM_CACHE/$1"
}
