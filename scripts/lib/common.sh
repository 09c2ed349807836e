# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by every script: where things are, and how the scripts speak. Messages go to standard
# error, so that a script's standard output is its result.

EK_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034  # read by the scripts that source this file
EK_BUILD=${EVENKEEL_BUILD_DIR:-$EK_ROOT/build}

if [[ -t 2 ]]; then
  EK_BOLD=$'\e[1m' EK_RED=$'\e[31m' EK_RESET=$'\e[0m'
else
  EK_BOLD='' EK_RED='' EK_RESET=''
fi

step() { printf '%s==> %s%s\n' "$EK_BOLD" "$*" "$EK_RESET" >&2; }
note() { printf '    %s\n' "$*" >&2; }
warn() { printf '%swarning:%s %s\n' "$EK_BOLD" "$EK_RESET" "$*" >&2; }

# die MESSAGE [REMEDY]
die() {
  printf '%serror:%s %s\n' "$EK_RED$EK_BOLD" "$EK_RESET" "$1" >&2
  [[ $# -lt 2 ]] || printf '       %s\n' "$2" >&2
  exit 1
}

# Tools of the administrator are in sbin, which is not in everyone's PATH on Debian.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
