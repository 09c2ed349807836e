# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The network of a lab. Namespaces isolate it, so every lab has the same addresses:
#
#     client ----+
#   balancer ----+---- switch (a bridge) ---- b1, b2, ... bN
#
#   10.77.0.0/24, fd77::/64   the link: client .2, balancer .3, backend bI .(10+I)
#   192.0.2.10, 2001:db8::10  the VIPs: routed to the balancer by the client, and on the loopback
#                             of each backend, which answers the client directly
#
# With LAB_LAYOUT=routed the switch is a router between a front link (10.77.0.0/24: client and
# balancer) and a back link (10.77.1.0/24, fd77:1::/64: backends, and a second leg of the balancer).
#
# LAB_LAYOUT=ecmp is routed with a second balancer (.4). The client sends to the router, which has the
# VIPs' routes from both balancers by BGP (ecmp.sh).

LAB_VIP4=192.0.2.10
LAB_VIP6=2001:db8::10
# Room for the outer headers around a packet of 1500 bytes.
LAB_WIDE_MTU=1560

lab_set() {  # NS KEY=VALUE...: sysctls of a namespace
  local ns=$1
  shift
  in_ns "$ns" sysctl -q -w "$@"
}

lab_add_namespace() {
  ip netns add "$1"
  lab_set "$1" net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
    net.ipv6.conf.default.accept_ra=0 net.ipv4.conf.default.accept_redirects=0 \
    net.ipv6.conf.all.keep_addr_on_down=1
  ip -n "$1" link set lo up
}

# lab_plug ID ROLE INTERFACE BRIDGE MTU: a cable from an interface of a role to the switch, whose
# port has the role's name.
lab_plug() {
  local ns switch port=$2
  ns=$(lab_ns "$1" "$2")
  switch=$(lab_ns "$1" switch)
  [[ $3 == eth0 ]] || port=$2-$3
  ip link add "$3" netns "$ns" mtu "$5" type veth peer name "$port" netns "$switch" mtu "$5"
  ip -n "$switch" link set "$port" master "$4" up
  ip -n "$ns" link set "$3" up
}

lab_address() {  # NS INTERFACE ADDRESS4/LEN ADDRESS6/LEN
  ip -n "$1" address add "$3" dev "$2"
  ip -n "$1" address add "$4" dev "$2" nodad
}

# What native XDP_TX needs of the other end of a veth: an XDP program, whole checksums, and no
# packet larger than the link's MTU.
lab_prepare_for_xdp() {  # ID ROLE [INTERFACE]
  local switch port=$2
  switch=$(lab_ns "$1" switch)
  [[ ${3:-eth0} == eth0 ]] || port=$2-$3
  in_ns "$switch" ethtool -K "$port" tx off tso off gso off >/dev/null
  in_ns "$switch" bpftool net attach xdpdrv pinned "$(lab_host_pins "$1")/xdp_pass" dev "$port"
}

# Not by `ip link set xdp obj`, which makes directories of its own in the BPF file system.
lab_load_xdp_pass() {
  # Twice: another lab may remove the empty parent directory in between.
  mkdir -p "$(lab_host_pins "$1")" 2>/dev/null || mkdir -p "$(lab_host_pins "$1")"
  bpftool prog load "$EK_BUILD/bpf/xdp_pass.o" "$(lab_host_pins "$1")/xdp_pass"
}

lab_add_bridge() {  # NS NAME
  ip -n "$1" link add "$2" type bridge mcast_snooping 0
  ip -n "$1" link set "$2" up
}

lab_add_client() {
  local ns
  ns=$(lab_ns "$1" client)
  lab_add_namespace "$ns"
  lab_plug "$1" client eth0 front 1500
  lab_address "$ns" eth0 10.77.0.2/24 fd77::2/64
  local hop=3
  ! lab_is_ecmp || hop=1
  ip -n "$ns" route add "$LAB_VIP4" via 10.77.0.$hop
  ip -n "$ns" route add "$LAB_VIP6" via fd77::$hop
  # A new connection for every request: let ports be used again at once.
  lab_set "$ns" net.ipv4.ip_local_port_range='2000 65000' net.ipv4.tcp_tw_reuse=1
}

lab_add_balancer() {  # ID ROLE HOST
  local ns
  ns=$(lab_ns "$1" "$2")
  lab_add_namespace "$ns"
  lab_plug "$1" "$2" eth0 front "$LAB_WIDE_MTU"
  lab_address "$ns" eth0 "10.77.0.$3/24" "fd77::$3/64"
  lab_prepare_for_xdp "$1" "$2"
  [[ $LAB_LAYOUT != flat ]] || return 0
  lab_plug "$1" "$2" eth1 back "$LAB_WIDE_MTU"
  lab_address "$ns" eth1 "10.77.1.$3/24" "fd77:1::$3/64"
  lab_prepare_for_xdp "$1" "$2" eth1
}

lab_add_backend() {  # ID NUMBER
  local ns host=$((10 + $2)) net4=10.77.0 net6=fd77: bridge=front
  ns=$(lab_ns "$1" "b$2")
  [[ $LAB_LAYOUT == flat ]] || net4=10.77.1 net6=fd77:1: bridge=back
  lab_add_namespace "$ns"
  lab_plug "$1" "b$2" eth0 $bridge "$LAB_WIDE_MTU"
  lab_address "$ns" eth0 "$net4.$host/24" "$net6:$host/64"
  lab_address "$ns" lo "$LAB_VIP4/32" "$LAB_VIP6/128"
  # The VIP is everybody's: nobody answers ARP for it or announces it.
  lab_set "$ns" net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
    net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096
  [[ $LAB_LAYOUT == flat ]] || {
    ip -n "$ns" route add default via "$net4.1"
    ip -n "$ns" route add default via "$net6:1"
  }
}

lab_add_switch() {
  local ns
  ns=$(lab_ns "$1" switch)
  lab_add_namespace "$ns"
  lab_add_bridge "$ns" front
  [[ $LAB_LAYOUT != flat ]] || return 0
  lab_add_bridge "$ns" back
  lab_address "$ns" front 10.77.0.1/24 fd77::1/64
  lab_address "$ns" back 10.77.1.1/24 fd77:1::1/64
  lab_set "$ns" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

lab_build_network() {  # ID BACKENDS
  local i
  lab_load_xdp_pass "$1"
  lab_add_switch "$1"
  lab_add_client "$1"
  lab_add_balancer "$1" balancer 3
  ! lab_is_ecmp || lab_add_balancer "$1" balancer2 4
  for ((i = 1; i <= $2; i++)); do lab_add_backend "$1" "$i"; done
}
