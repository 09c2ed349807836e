# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The first file system of the virtual machine: busybox, the modules that reach the host's file
# system, and init.

VM_BOOT_MODULES=(virtio_pci virtio_console 9pnet_virtio 9p overlay)

# vm_boot_modules DIRECTORY: paths of the modules, in the order in which they load. One that is
# built in has none.
vm_boot_modules() {
  local release
  release=$(vm_release_of "$1")
  modprobe -d "$1" -S "$release" --show-depends --all "${VM_BOOT_MODULES[@]}" |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

vm_build_initramfs() {  # DIRECTORY of a kernel
  local tree=$1/initramfs.tree module name
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,modules,dev,proc,sys,lower,overlay,job,root}
  cp /bin/busybox "$tree/bin/busybox"
  while read -r module; do
    name=$(basename "${module%.xz}")
    case $module in
      *.xz) xz -dc "$module" >"$tree/modules/$name" ;;
      *) cp "$module" "$tree/modules/$name" ;;
    esac
    echo "$name" >>"$tree/modules/order"
  done < <(vm_boot_modules "$1")
  [[ -s $tree/modules/order ]] || die "no module of $(vm_release_of "$1") could be listed"
  install -m 755 "$EK_ROOT/scripts/lib/vm/init" "$tree/init"
  (cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null) >"$1/initramfs.new"
  rm -rf "$tree"
  cp "$EK_ROOT/scripts/lib/vm/init" "$1/init"
  mv "$1/initramfs.new" "$1/initramfs"
}
