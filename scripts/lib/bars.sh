# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Shows where the requests go: reads the lines of ek-load (as bars_filter writes them) from a file
# descriptor. On a terminal one bar per backend, redrawn in place; elsewhere a plain line at times.

declare -A BARS_PHASE=()  # requests per backend since bars_new_phase
declare -A BARS_NOW=()    # in the last BARS_WINDOW lines
BARS_WINDOW=4
BARS_RECENT=()
BARS_TOTAL=0 BARS_FAILED=0 BARS_DRAWN=0
BARS_NAMES=()

# One line per interval: requests failed slowest_ms name=count name=count ...
bars_filter() {
  jq --unbuffered -r 'select(.kind == "interval") |
    "\(.requests) \(.failed) \(.slowest_ms) " +
    (.backends | to_entries | map("\(.key)=\(.value)") | join(" "))'
}

bars_new_phase() { BARS_PHASE=() BARS_RECENT=(); }

# bars_read FD: takes the next line in. Fails at the end of the stream.
bars_read() {
  local requests failed slowest pairs pair
  read -r -u "$1" requests failed slowest pairs || return 1
  BARS_TOTAL=$((BARS_TOTAL + requests))
  BARS_FAILED=$((BARS_FAILED + failed))
  BARS_SLOWEST=$slowest
  for pair in $pairs; do
    BARS_PHASE[${pair%=*}]=$((${BARS_PHASE[${pair%=*}]:-0} + ${pair#*=}))
  done
  BARS_RECENT=("${BARS_RECENT[@]:${#BARS_RECENT[@]} < BARS_WINDOW ? 0 : 1}" "$pairs")
  BARS_NOW=()
  # shellcheck disable=SC2048  # lines of several words each
  for pair in ${BARS_RECENT[*]}; do
    BARS_NOW[${pair%=*}]=$((${BARS_NOW[${pair%=*}]:-0} + ${pair#*=}))
  done
}

# bars_catch_up FD: takes in what waits, and the line that is under way.
bars_catch_up() {
  while read -r -t 0 -u "$1"; do bars_read "$1" || return 1; done
  bars_read "$1"
}

percent() {  # PART WHOLE
  if (($2 == 0)); then echo "0.0"; else awk -v p="$1" -v w="$2" 'BEGIN { printf "%.1f", 100 * p / w }'; fi
}

bars_sum() {  # NAME of an associative array
  local -n counts=$1
  local total=0 count
  for count in "${counts[@]}"; do total=$((total + count)); done
  echo "$total"
}

bars_draw() {
  local name count sum width line
  sum=$(bars_sum BARS_NOW)
  if [[ ! -t 1 ]]; then
    line=''
    for name in "${BARS_NAMES[@]}"; do
      line+=$(printf '  %s %5s %%' "$name" "$(percent "${BARS_NOW[$name]:-0}" "$sum")")
    done
    printf '   %s   requests %d  failed %d\n' "$line" "$BARS_TOTAL" "$BARS_FAILED"
    return
  fi
  ((BARS_DRAWN == 0)) || printf '\e[%dA' "$BARS_DRAWN"
  for name in "${BARS_NAMES[@]}"; do
    count=${BARS_NOW[$name]:-0}
    width=$((sum == 0 ? 0 : 50 * count / sum))
    printf '\e[2K    %-6s \e[32m%s\e[0m%s %5s %%\n' "$name" "$(bars_line $width '█')" \
      "$(bars_line $((50 - width)) '·')" "$(percent "$count" "$sum")"
  done
  printf '\e[2K    requests %d   failed %d   slowest now %s ms\n' "$BARS_TOTAL" "$BARS_FAILED" \
    "$BARS_SLOWEST"
  BARS_DRAWN=$((${#BARS_NAMES[@]} + 1))
}

bars_line() {  # WIDTH CHARACTER
  local text
  printf -v text '%*s' "$1" ''
  printf '%s' "${text// /$2}"
}

# Text between the bars: what follows is drawn below it.
bars_break() { BARS_DRAWN=0; }

# bars_show FD SECONDS LINES_PER_SECOND
bars_show() {
  local i last=$(($2 * $3))
  for ((i = 1; i <= last; i++)); do
    bars_read "$1" || return 1
    if [[ -t 1 ]] || ((i % (2 * $3) == 0 || i == last)); then bars_draw; fi
  done
  bars_break
}
