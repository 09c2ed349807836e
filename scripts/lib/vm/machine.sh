# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A virtual machine for one job. Emulated, not accelerated: that works on every host, also inside
# another virtual machine, and with --icount its clock counts instructions.

# Two processors, each a thread of the host.
VM_FAST=(-accel 'tcg,thread=multi' -smp 2)
# One processor that takes one nanosecond of its own clock for each instruction.
VM_COUNTING=(-accel 'tcg,thread=single' -icount 'shift=0,sleep=off' -smp 1 -seed 1)

# vm_write_job JOB COMMAND...: no command is an interactive shell.
vm_write_job() {
  local job=$1 name
  shift
  cp "$EK_ROOT/scripts/lib/vm/guest" "$job/guest"
  for name in HOME TERM LANG EVENKEEL_BUILD_DIR EVENKEEL_REQUIRE_KERNEL; do
    [[ -z ${!name:-} ]] || printf 'export %s=%q\n' "$name" "${!name}"
  done >"$job/environment"
  printf 'cd %q || exit 127\n' "$PWD" >"$job/job"
  if [[ $# -gt 0 ]]; then
    printf '%q ' "$@" >>"$job/job"
  else
    touch "$job/interactive"
    printf 'stty rows %q cols %q\nexec bash\n' "$(tput lines 2>/dev/null || echo 24)" \
      "$(tput cols 2>/dev/null || echo 80)" >>"$job/job"
  fi
}

# Sets QEMU to the machine.
vm_describe() {  # KERNEL_DIR JOB CONSOLE
  local share=security_model=none,multidevs=remap
  # no_timer_check: on a busy host the kernel would take its timer for broken, and panic.
  local cmdline='console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on net.ifnames=0'
  cmdline+=' no_timer_check'
  # shellcheck disable=SC2054  # the commas are those of qemu
  QEMU=(
    qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none -nic none
    -machine pc -cpu max -m "$VM_MEMORY"
    -kernel "$(vm_file "$1" 'boot/vmlinuz-*')" -initrd "$1/initramfs"
    -append "$cmdline"
    -serial "file:$2/kernel.log"
    -chardev "$3" -device virtio-serial-pci -device virtconsole,chardev=console
    -fsdev "local,id=root,path=/,readonly=on,$share"
    -device virtio-9p-pci,fsdev=root,mount_tag=root
    -fsdev "local,id=modules,path=$1/lib/modules,readonly=on,$share"
    -device virtio-9p-pci,fsdev=modules,mount_tag=modules
    -fsdev "local,id=job,path=$2,$share"
    -device virtio-9p-pci,fsdev=job,mount_tag=job
  )
  if [[ -n $VM_ICOUNT ]]; then QEMU+=("${VM_COUNTING[@]}"); else QEMU+=("${VM_FAST[@]}"); fi
}

vm_start() {  # INTERACTIVE: returns qemu's status, 124 after the time limit
  if [[ -n $1 ]]; then
    "${QEMU[@]}"
  else
    # Through a pipe, whatever standard output is.
    timeout --foreground -k 5 "$VM_TIMEOUT" "${QEMU[@]}" </dev/null | cat
    return "${PIPESTATUS[0]}"
  fi
}

vm_no_answer() {  # KERNEL_DIR JOB STATUS
  if [[ $3 -eq 124 || $3 -eq 137 ]]; then
    warn "the machine did not end within $VM_TIMEOUT seconds (--timeout) and was stopped"
    return 124
  fi
  warn "the machine (Linux $(vm_release_of "$1")) ended without a result; its last words:"
  tail -n 15 "$2/kernel.log" 2>/dev/null | while IFS= read -r line; do note "$line"; done
  return 125
}

# vm_run SERIES [COMMAND...]: boots, runs it in the present directory, and returns its exit code.
vm_run() {
  local kernel job status=0 console='file,id=console,path=/dev/fd/1,append=on'
  kernel=$(vm_kernel "$1")
  shift
  job=$(mktemp -d "${TMPDIR:-/tmp}/evenkeel-vm.XXXXXX")
  # shellcheck disable=SC2064  # the present value
  trap "rm -rf '$job'" EXIT
  vm_write_job "$job" "$@"
  [[ $# -gt 0 ]] || console='stdio,id=console,signal=off'
  vm_describe "$kernel" "$job" "$console"
  vm_start "$([[ $# -gt 0 ]] || echo yes)" || status=$?
  if [[ -s $job/exit ]]; then
    status=$(<"$job/exit")
  else
    vm_no_answer "$kernel" "$job" "$status" || status=$?
  fi
  rm -rf "$job"
  return "$status"
}
