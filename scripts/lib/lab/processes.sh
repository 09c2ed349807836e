# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What runs in a lab: nginx and the decapsulation on each backend, the daemon on the balancer. Each
# process has DIR/NAME.pid and DIR/NAME.log.

# lab_spawn DIR NAME NS COMMAND...: in the background, in a session of its own.
lab_spawn() {
  local dir=$1 name=$2 ns=$3
  shift 3
  setsid nsenter --net="/run/netns/$ns" -- "$@" >>"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

# lab_pid_alive FILE: of the process in the file. One that ended and awaits its parent is not alive.
lab_pid_alive() {
  local state
  state=$(sed -n 's/.*) \([A-Z]\) .*/\1/p' "/proc/$(cat "$1" 2>/dev/null)/stat" 2>/dev/null)
  [[ -n $state && $state != Z ]]
}

# lab_wait SECONDS COMMAND...: until the command succeeds.
lab_wait() {
  local deadline=$((SECONDS + $1 + 1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

lab_nginx_config() {  # DIR NAME
  cat <<CONFIG
daemon off;
user root;
worker_processes 1;
pid $1/$2/nginx.pid;
error_log $1/$2.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path $1/$2/body;
  proxy_temp_path $1/$2/proxy;
  fastcgi_temp_path $1/$2/fastcgi;
  uwsgi_temp_path $1/$2/uwsgi;
  scgi_temp_path $1/$2/scgi;
  client_max_body_size 64m;
  server {
    listen 80 backlog=4096;
    listen 8080 backlog=4096;
    listen [::]:80 backlog=4096;
    listen [::]:8080 backlog=4096;
    add_header X-Backend $2 always;
    root $1/$2/www;
    location = / { default_type text/plain; return 200 "$2\n"; }
    location /files/ { }
    location /upload/ { dav_methods PUT; create_full_put_path on; }
  }
}
CONFIG
}

lab_start_nginx() {  # ID NAME
  local dir ns
  dir=$(lab_dir "$1")
  ns=$(lab_ns "$1" "$2")
  mkdir -p "$dir/$2/www/files" "$dir/$2/www/upload"
  lab_nginx_config "$dir" "$2" >"$dir/$2/nginx.conf"
  lab_spawn "$dir" "$2-nginx" "$ns" nginx -p "$dir/$2" -c "$dir/$2/nginx.conf"
  lab_wait 10 in_ns "$ns" curl -sf --max-time 1 "http://127.0.0.1/" ||
    die "nginx of $2 did not start" "$(tail -n 5 "$dir/$2.log" "$dir/$2-nginx.log" 2>&1)"
}

# Attaches and ends; the pinned link stays.
lab_start_decap() {  # ID NAME
  local pins
  pins=$(lab_host_pins "$1")/$2
  mkdir -p "$pins"
  in_ns "$(lab_ns "$1" "$2")" "$EK_BUILD/bin/evenkeel-decap" --interface eth0 --pin-dir "$pins" \
    >>"$(lab_dir "$1")/$2-decap.log" 2>&1 ||
    die "evenkeel-decap of $2 did not attach:" "$(tail -n 5 "$(lab_dir "$1")/$2-decap.log")"
}

# The daemon's command line; also used to start it again after it was killed.
lab_daemon_command() {  # ID ROLE
  local dir n=${2#balancer} pins interfaces=(--interface eth0)
  dir=$(lab_dir "$1")
  pins=$(lab_pin_dir "$1")
  [[ -z $n ]] || pins=$(lab_host_pins "$1")/$2
  [[ $LAB_LAYOUT == flat ]] || interfaces+=(--interface eth1)
  printf '%s\n' "$EK_BUILD/bin/evenkeeld" --config "$LAB_CONFIG" "${interfaces[@]}" \
    --socket "$dir/evenkeeld$n.sock" --state-dir "$dir/state$n" --pin-dir "$pins" \
    --instance "lab-$1$n" --mode "$LAB_MODE" --attach "$LAB_ATTACH" \
    --change-interval 0 --changes-per-hour 1000
  # Balancers that share VIPs have one key: the first one makes it.
  [[ -z $n ]] || printf '%s\n' --hash-key-file "$dir/state/hash.key"
  ! lab_is_ecmp || printf '%s\n' --advertise
}

lab_start_daemon() {  # ID ROLE [EXTRA...]
  local dir id=$1 name=evenkeeld${2#balancer} ns argv
  dir=$(lab_dir "$id")
  ns=$(lab_ns "$id" "$2")
  mapfile -t argv < <(lab_daemon_command "$id" "$2")
  shift 2
  lab_spawn "$dir" "$name" "$ns" "${argv[@]}" "$@"
  local deadline=$((SECONDS + 20))
  until "$EK_BUILD/bin/evenkeel" status --socket "$dir/$name.sock" >/dev/null 2>&1; do
    lab_pid_alive "$dir/$name.pid" ||
      die "evenkeeld ended at its start; the end of its log:" "$(tail -n 20 "$dir/$name.log")"
    ((SECONDS < deadline)) ||
      die "evenkeeld does not answer after 20 s" "$(tail -n 20 "$dir/$name.log")"
    sleep 0.05
  done
}

# Ends everything that lives in the lab's namespaces, whoever started it.
lab_kill() {
  local ns pids signal
  for signal in TERM KILL; do
    pids=$(for ns in $(lab_namespaces "$1"); do ip netns pids "$ns"; done)
    [[ -n $pids ]] || return 0
    # shellcheck disable=SC2086  # a list of numbers
    kill -"$signal" $pids 2>/dev/null || true
    lab_wait 2 lab_is_quiet "$1" || true
  done
}

lab_is_quiet() {
  local ns
  for ns in $(lab_namespaces "$1"); do
    [[ -z $(ip netns pids "$ns") ]] || return 1
  done
}
