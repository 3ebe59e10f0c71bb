# Sourced by `test` and `run`: strict mode, the repository's root, no stdin, and steps that say how long they took.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

step_name="start"
trap 'status=$?; [ "$status" -eq 0 ] || printf "\n=== FAILED: %s\n" "$step_name" >&2' EXIT

# step NAME COMMAND...: runs the command and says how long it took. Called plainly, never in a condition: `set -e`
# must hold inside the functions that are steps.
step() {
  local start=$SECONDS
  step_name=$1
  shift
  printf '\n=== %s\n' "$step_name"
  "$@"
  printf '=== %s: %d s\n' "$step_name" "$((SECONDS - start))"
}

# Everything here needs cargo, which rustup may have put where this shell does not look.
if ! command -v cargo >/dev/null && [ -f "${CARGO_HOME:-$HOME/.cargo}/env" ]; then
  . "${CARGO_HOME:-$HOME/.cargo}/env"
fi
if ! command -v cargo >/dev/null; then
  if ! command -v curl >/dev/null; then
    echo "neither Rust nor curl is installed: see https://rust-lang.org/tools/install" >&2
    exit 1
  fi
  # As on that page; the shell's start-up files stay as they are.
  install_rust() {
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --no-modify-path
  }
  step "install Rust" install_rust
  . "${CARGO_HOME:-$HOME/.cargo}/env"
fi
