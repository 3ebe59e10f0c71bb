#!/usr/bin/env bash
# Instructions per call, by callgrind: (a run of 6000 calls - a run of 1000) / 5000, so that start-up cancels out.
# A clock read counts too little here: valgrind hides the vDSO, and 23 ns look like 34 instructions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v valgrind >/dev/null; then
  echo "skipped: valgrind is not installed"
  exit 0
fi

cargo build --release --locked --quiet --bin instr
instr="${CARGO_TARGET_DIR:-target}/release/instr"

# Instructions of a whole run.
collected() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$instr" "$@" 2>&1 >/dev/null |
    awk '/Collected/ { found = $NF } END { if (found == "") exit 1; print found }'
}

echo "| | scenario | config | instructions per call |"
echo "|---|---|---|---:|"
"$instr" | while IFS='|' read -r who scenario config; do
  few=$(collected "$who" "$scenario" "$config" 1000)
  many=$(collected "$who" "$scenario" "$config" 6000)
  echo "| $who | $scenario | $config | $(((many - few) / 5000)) |"
done
