# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# scripts/bench --exact: instructions of each scenario, compared with those on record.

EXACT_RECORD=$EK_ROOT/tests/bench/exact.json
EXACT_KERNEL=6.1
EXACT_LIMIT_PERCENT=2

exact_count() {
  "$EK_ROOT/scripts/vm" --kernel "$EXACT_KERNEL" --icount --timeout 300 \
    run "$EK_BUILD/tests/balancer_bench" --exact
}

# A table of all scenarios; the last column says what is at fault.
exact_compare() {  # RECORD NOW
  jq -rn --slurpfile old "$1" --slurpfile new "$2" --argjson limit "$EXACT_LIMIT_PERCENT" '
    $old[0].instructions as $old | $new[0].instructions as $new |
    ($old + $new | keys_unsorted[]) as $name | $old[$name] as $was | $new[$name] as $is |
    if $was == null then [$name, "-", $is, "-", "FAULT: not on record"]
    elif $is == null then [$name, $was, "-", "-", "FAULT: no such scenario any more"]
    else (($is - $was) * 1000 / $was | round / 10) as $percent |
      [$name, $was, $is, "\($percent) %",
       if $is - $was > $was * $limit / 100 then "FAULT: more than \($limit) % more"
       elif $was - $is > $was * $limit / 100 then "faster: put it on record"
       else "" end]
    end | @tsv' | awk -F '\t' '
      BEGIN { printf "%-24s %10s %10s %8s\n", "instructions", "on record", "now", "change" }
      { printf "%-24s %10s %10s %8s  %s\n", $1, $2, $3, $4, $5 }'
}

exact_note_kernel() {  # RECORD NOW
  local was is
  was=$(jq -r .kernel "$1")
  is=$(jq -r .kernel "$2")
  [[ $was == "$is" ]] || note "On record is Linux $was, this was $is: helpers may differ a little"
}

exact_main() {
  local now table
  [[ $# -eq 0 || ($# -eq 1 && $1 == --update) ]] ||
    die "unknown argument ${!#}" "Usage: scripts/bench --exact [--update]"
  now=$(mktemp)
  # shellcheck disable=SC2064  # the present value
  trap "rm -f '$now'" EXIT
  exact_count >"$now" || die "nothing was counted; the reason is above"
  if [[ ${1:-} == --update ]]; then
    cp "$now" "$EXACT_RECORD"
    note "recorded in $EXACT_RECORD"
    return
  fi
  exact_note_kernel "$EXACT_RECORD" "$now"
  table=$(exact_compare "$EXACT_RECORD" "$now")
  printf '%s\n' "$table"
  [[ $table != *FAULT* ]] ||
    die "the packet path grew, or the scenarios changed" \
      "If that is meant: scripts/bench --exact --update, and commit tests/bench/exact.json with it"
}
