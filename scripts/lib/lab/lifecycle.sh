# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Making and removing a lab as a whole.

# The description that tests and people read. Options are read back from it as well.
lab_describe() {  # ID BACKENDS
  local dir id=$1
  dir=$(lab_dir "$id")
  jq -n --arg id "$id" --arg dir "$dir" --arg pins "$(lab_pin_dir "$id")" --argjson n "$2" \
    --arg config "$LAB_CONFIG" --arg mode "$LAB_MODE" --arg layout "$LAB_LAYOUT" \
    --arg attach "$LAB_ATTACH" --arg vip4 "$LAB_VIP4" --arg vip6 "$LAB_VIP6" '{
      id: $id, dir: $dir, config: $config, mode: $mode, attach: $attach, layout: $layout,
      socket: ($dir + "/evenkeeld.sock"), state_dir: ($dir + "/state"), pin_dir: $pins,
      socket2: ($dir + "/evenkeeld2.sock"), vip4: $vip4, vip6: $vip6,
      namespaces: ({client: "ek-\($id)-client", balancer: "ek-\($id)-balancer",
                    switch: "ek-\($id)-switch"} +
                   (if $layout == "ecmp" then {balancer2: "ek-\($id)-balancer2"} else {} end) +
                   ([range(1; $n + 1) | {("b\(.)"): "ek-\($id)-b\(.)"}] | add)),
      backends: [range(1; $n + 1) |
        (if $layout == "flat" then {four: "10.77.0.", six: "fd77::"}
         else {four: "10.77.1.", six: "fd77:1::"} end) as $net |
        {name: "b\(.)", address4: "\($net.four)\(. + 10)", address6: "\($net.six)\(. + 10)"}]
    }' >"$dir/lab.json"
}

lab_load() {  # ID: the options that the lab was made with
  [[ -r $(lab_dir "$1")/lab.json ]] ||
    die "there is no lab '$1'" "scripts/lab status lists them; scripts/lab up makes one"
  local field
  for field in config mode attach layout; do
    printf -v "LAB_${field^^}" '%s' "$(jq -r ".$field" "$(lab_dir "$1")/lab.json")"
  done
}

# lab_up ID OWNER BACKENDS: if anything fails, what was made is removed.
lab_up() {
  local id=$1 i role
  lab_claim "$id" "$2" ||
    die "there is a lab '$id' already" "scripts/lab down $id removes it; --id makes another one"
  # shellcheck disable=SC2064  # the id of now
  trap "lab_down $id" EXIT
  # A copy: the file that was given may go, and this one is there to be edited.
  cp -- "$LAB_CONFIG" "$(lab_dir "$id")/config.yaml"
  LAB_CONFIG=$(lab_dir "$id")/config.yaml
  lab_describe "$id" "$3"
  lab_build_network "$id" "$3"
  for ((i = 1; i <= $3; i++)); do
    lab_start_nginx "$id" "b$i"
    [[ $LAB_DECAP == no ]] || lab_start_decap "$id" "b$i"
  done
  lab_start_routing "$id"
  if [[ $LAB_DAEMON == yes ]]; then
    for role in $(lab_balancers); do lab_start_daemon "$id" "$role"; done
  fi
  trap - EXIT
}

# What libxdp pinned for a shared interface would outlive it, and hold the maps.
lab_remove_dispatchers() {  # ID
  local role name
  for role in balancer balancer2; do
    for name in $(ip -n "$(lab_ns "$1" "$role")" -j link 2>/dev/null |
      jq -r '.[] | select(.xdp) | "\(.ifindex)-\(.xdp.prog.id)"'); do
      rm -rf "/sys/fs/bpf/xdp/dispatch-$name"
    done
  done
}

# Removes all that carries the id. Every step goes on where one fails, and the end result is
# checked: whatever could not be removed is an error.
lab_down() {
  local id=$1 ns left
  lab_kill "$id"
  lab_remove_dispatchers "$id" || true
  rm -rf "$(lab_pin_dir "$id")" "$(lab_host_pins "$id")" || true
  for ns in $(lab_namespaces "$id"); do ip netns delete "$ns" || true; done
  rm -rf "$(lab_dir "$id")"
  rmdir "$LAB_PINS" 2>/dev/null || true
  left=$(lab_namespaces "$id")
  left+=$(ls -d "$(lab_pin_dir "$id")" "$(lab_host_pins "$id")" 2>/dev/null) || true
  [[ -z $left ]] || die "could not remove all of lab '$id'" "left: $left"
}

# Labs whose owner was killed before it could remove them.
lab_down_abandoned() {
  local id
  for id in $(lab_list); do
    if ! lab_exists "$id" || lab_abandoned "$id"; then
      note "removing lab '$id', which a killed process left behind"
      lab_down "$id"
    fi
  done
  [[ ! -d $LAB_ROOT ]] || find "$LAB_ROOT" -maxdepth 1 -name '.new.*' -mmin +5 -exec rm -rf {} +
}
