# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What layout ecmp has beyond routed: a second balancer, and BIRD on both and on the router. The
# balancers' configuration is the example that operators copy, with the lab's addresses.

lab_is_ecmp() { [[ $LAB_LAYOUT == ecmp ]]; }

# The roles that run the daemon.
lab_balancers() {
  echo balancer
  ! lab_is_ecmp || echo balancer2
}

lab_bird_config() {  # ROLE
  case $1 in
    switch) cat "$EK_ROOT/scripts/lib/lab/router.conf" ;;
    *)
      local host=3
      [[ $1 == balancer ]] || host=4
      sed -E -e "s/^(define OWN4 = ).*/\\110.77.0.$host;/" -e "s/^(define OWN6 = ).*/\\1fd77::$host;/" \
        -e 's/^(define ROUTER4 = ).*/\110.77.0.1;/' -e 's/^(define ROUTER6 = ).*/\1fd77::1;/' \
        -e 's/^log syslog all;/log stderr all;/' "$EK_ROOT/packaging/examples/bird.conf"
      ;;
  esac
}

lab_start_bird() {  # ID ROLE
  local dir
  dir=$(lab_dir "$1")
  lab_bird_config "$2" >"$dir/$2-bird.conf"
  lab_spawn "$dir" "$2-bird" "$(lab_ns "$1" "$2")" bird -f -c "$dir/$2-bird.conf" \
    -s "$dir/$2-bird.ctl" -P "$dir/$2-bird.own.pid"
  lab_wait 10 birdc -s "$dir/$2-bird.ctl" show status ||
    die "BIRD of $2 did not start" "$(tail -n 5 "$dir/$2-bird.log")"
}

# The router spreads by the whole flow, as its hardware would.
lab_prepare_router() {  # ID
  lab_set "$(lab_ns "$1" switch)" net.ipv4.fib_multipath_hash_policy=1 \
    net.ipv6.fib_multipath_hash_policy=1 net.ipv4.conf.all.send_redirects=0 \
    net.ipv4.conf.front.send_redirects=0
}

lab_start_routing() {  # ID
  local role
  lab_is_ecmp || return 0
  lab_prepare_router "$1"
  for role in switch balancer balancer2; do lab_start_bird "$1" "$role"; done
}
