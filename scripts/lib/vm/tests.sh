# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What `scripts/vm test` runs: on the host it builds and chooses, in the machine it runs one test
# binary after the other.

# Commands, one a line.
vm_tests_of() {  # PART
  case $1 in
    load) echo "$EK_BUILD/tests/load_test" ;;
    progrun)
      ctest --test-dir "$EK_BUILD" -L '^progrun$' -E '^load_test$' --show-only=json-v1 |
        jq -r --arg dir "$EK_BUILD/tests" '.tests[] | "\($dir)/\(.name)"'  # also unbuilt ones
      ;;
    lab) printf '%s\n' "$EK_ROOT/scripts/lib/vm/lab-smoke "{native,generic,'native shared'} ;;
    shared) echo "$EK_BUILD/tests/shared_test" ;;
    attach)
      echo "$EK_BUILD/tests/dataplane_kernel_test --gtest_filter=AttachTest.*"
      echo "$EK_BUILD/tests/shared_attach_test"
      ;;
    probes) echo "$EK_BUILD/tests/vip_path_kernel_test" ;;
    sample) printf '%s\n' "$EK_BUILD/tests/"{sample_test,sample_plan_test} ;;
  esac
}

vm_build_tests() {  # PART...
  local part lines targets
  cd "$EK_ROOT" || return
  [[ -f $EK_BUILD/build.ninja ]] || cmake --preset ci -B "$EK_BUILD" --log-level=WARNING >&2
  for part in "$@"; do
    mapfile -t lines < <(vm_tests_of "$part")
    [[ ${#lines[@]} -gt 0 ]] || die "there are no tests of the part '$part' in $EK_BUILD"
    VM_TESTS+=("${lines[@]}")
  done
  mapfile -t targets < <(printf '%s\n' "${VM_TESTS[@]%% *}" | sed -n "s|^$EK_BUILD/tests/||p")
  [[ " $* " != *' shared '* ]] || targets+=(evenkeeld)
  [[ " $* " != *' lab '* ]] || targets+=(evenkeel evenkeeld evenkeel-decap lab_xdp_pass)
  step "Building ${#targets[@]} programs"
  ninja -C "$EK_BUILD" "${targets[@]}" >&2
}

main_test() {
  local part kernel failed=() parts=("$@")
  [[ $# -gt 0 && $1 != all ]] || parts=(load progrun lab shared attach probes sample)
  for part in "${parts[@]}"; do
    [[ $part =~ ^(load|progrun|lab|shared|attach|probes|sample)$ ]] ||
      die "there is no part '$part' of the tests" "One of: all, load, progrun, lab, shared, attach, probes, sample"
  done
  [[ ${#KERNELS[@]} -gt 0 ]] || KERNELS=("${VM_KERNELS[@]}")
  install_tools
  VM_TESTS=()
  vm_build_tests "${parts[@]}"
  export EVENKEEL_REQUIRE_KERNEL=1
  for kernel in "${KERNELS[@]}"; do
    step "Testing on Debian's kernel $kernel: ${parts[*]}"
    (vm_run "$kernel" bash "$EK_ROOT/scripts/lib/vm/run-tests" "${VM_TESTS[@]}") ||
      failed+=("$kernel")
  done
  [[ ${#failed[@]} -eq 0 ]] || die "tests failed on: ${failed[*]}"
}
