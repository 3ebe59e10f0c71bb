# Sourced by `test` and `run`. Sets strict mode, changes to the root of the repository, closes stdin, and defines
# `step`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

step_name="start"
trap 'status=$?; [ "$status" -eq 0 ] || printf "\n=== FAILED: %s\n" "$step_name" >&2' EXIT

# step NAME COMMAND...: runs the command and prints how long it took. Never call it in a condition, because `set -e`
# must hold inside the functions that are steps.
step() {
  local start=$SECONDS
  step_name=$1
  shift
  printf '\n=== %s\n' "$step_name"
  "$@"
  printf '=== %s: %d s\n' "$step_name" "$((SECONDS - start))"
}

# Every step needs cargo. rustup may have installed it in a directory that is not in the PATH of this shell.
if ! command -v cargo >/dev/null && [ -f "${CARGO_HOME:-$HOME/.cargo}/env" ]; then
  . "${CARGO_HOME:-$HOME/.cargo}/env"
fi
if ! command -v cargo >/dev/null; then
  if ! command -v curl >/dev/null; then
    echo "neither Rust nor curl is installed: see https://rust-lang.org/tools/install" >&2
    exit 1
  fi
  # The command of that page, without changes to the shell's start-up files.
  install_rust() {
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --no-modify-path
  }
  step "install Rust" install_rust
  . "${CARGO_HOME:-$HOME/.cargo}/env"
fi
