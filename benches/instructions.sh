#!/usr/bin/env bash
# Counts instructions per call with callgrind: (a run of 6000 calls - a run of 1000 calls) / 5000, which cancels
# start-up. A read of the clock is undercounted: valgrind hides the vDSO, so that 23 ns appear as 34 instructions.
#
#   benches/instructions.sh           prints the counts
#   benches/instructions.sh --gate    also fails if a path exceeds its limit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

gate=false
case "${1-}" in
  "") ;;
  --gate) gate=true ;;
  *) echo "usage: benches/instructions.sh [--gate]" >&2; exit 2 ;;
esac

# The limits were counted with this compiler. Another one may emit more or fewer instructions; then review and update
# them.
compiler="rustc 1.95"
allowed() {
  case "$1" in
    "closed success|consecutive") echo 88 ;;
    "closed success|default") echo 155 ;;
    "closed failure|consecutive") echo 190 ;;
    "closed failure|default rules") echo 880 ;;
    "rejection|typed error") echo 150 ;;
  esac
}

if ! command -v valgrind >/dev/null; then
  echo "skipped: valgrind is not installed"
  exit 0
fi

cargo build --release --locked --quiet --bin instr
instr="${CARGO_TARGET_DIR:-target}/release/instr"

# Prints the number of instructions of a whole run.
collected() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$instr" "$@" 2>&1 >/dev/null |
    awk '/Collected/ { found = $NF } END { if (found == "") exit 1; print found }'
}

echo "| | scenario | config | instructions per call | allowed |"
echo "|---|---|---|---:|---:|"
over=()
while IFS='|' read -r subject scenario config; do
  few=$(collected "$subject" "$scenario" "$config" 1000)
  many=$(collected "$subject" "$scenario" "$config" 6000)
  count=$(((many - few) / 5000))
  most=""
  if [ "$subject" = tower-breaker ]; then
    most=$(allowed "$scenario|$config")
    if [ "$count" -gt "$most" ]; then over+=("$scenario, $config: $count instructions, $most allowed"); fi
  fi
  echo "| $subject | $scenario | $config | $count | $most |"
done < <("$instr")
if "$gate" && ! { rustc --version | grep -q "^$compiler[.]" && [ "$(uname -m)" = x86_64 ]; }; then
  echo "not compared: the limits were counted with $compiler on x86-64"
elif "$gate" && [ "${#over[@]}" -gt 0 ]; then
  printf 'over budget: %s\n' "${over[@]}" >&2
  exit 1
fi
