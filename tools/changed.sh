# shellcheck shell=bash
# Which files changed, and which unit tests that concerns. Callers set inherit_errexit: a git or ninja that fails must
# not look like nothing to do.

# The commit that changes are counted from: MERIDIAN_BASE; else where this work left main; on main itself, the last commit
# if something is not committed yet, else where main was half a day before its last commit (older commits were checked when
# they landed).
changed_base() {
  local head base=''
  if [[ -n ${MERIDIAN_BASE:-} ]]; then git rev-parse --verify "$MERIDIAN_BASE^{commit}"; return; fi
  head=$(git rev-parse HEAD)
  if git rev-parse --verify --quiet origin/main >/dev/null; then
    base=$(git merge-base HEAD origin/main)
  elif git rev-parse --verify --quiet main >/dev/null; then
    base=$(git merge-base HEAD main)
  fi
  if [[ -z $base || $base == "$head" ]]; then
    local until uncommitted
    uncommitted=$(git status --porcelain)
    if [[ -n $uncommitted ]]; then echo "$head"; return; fi
    until=$(git log -1 --format=%ct)
    # Of a merged branch the commits may be older than the merge: only main's own count.
    base=$(git rev-list --first-parent --max-count=1 --before="$((until - 12 * 3600))" HEAD)
  fi
  echo "${base:-$(git hash-object -t tree /dev/null)}"
}

# Files that differ from that commit, those that are not committed or added yet among them.
changed_files() {
  local base
  base=$(changed_base)
  { git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sort -u
}

# unit_test_targets PRESET all|changed|FOLDER...: the unit test programs of folders, or those whose own folder, or one
# that they build on, changed.
unit_test_targets() {
  local preset=$1 listed targets target folder
  shift
  listed=$(ctest --test-dir "build/$preset" -N)
  targets=$(sed -n 's/^ *Test *#[0-9]*: \(.*\)$/\1/p' <<<"$listed")
  case $1 in
    all) for target in $targets; do echo "${target}_test"; done ;;
    changed) changed_test_targets "$preset" "$targets" ;;
    *)
      for target in $targets; do
        for folder in "$@"; do
          if [[ $target == "${folder//\//_}" || $target == "${folder//\//_}_"* ]]; then echo "${target}_test"; fi
        done
      done ;;
  esac
}

# changed_test_targets PRESET TARGETS
changed_test_targets() {
  local preset=$1 targets=$2 changed folders inputs target
  changed=$(changed_files)
  # What every unit is compiled with.
  if grep -Eq '^(CMake|tools/(compile|precompiled))' <<<"$changed"; then
    for target in $targets; do echo "${target}_test"; done
    return
  fi
  # Each as the folder that it belongs to; data of tests belong to the folder above.
  folders=$(sed -En 's#^examples/photos/site.toml$#src/site/#; s#/testdata/.*#/#; s#^((src|sim)/(.*/)?)[^/]*$#\1#p' <<<"$changed" | sort -u)
  [[ -n $folders ]] || return 0
  for target in $targets; do
    inputs=$(ninja -C "build/$preset" -t inputs "${target}_test" | sed 's|/[^/]*$|/|' | sort -u)
    if grep -qF "$folders" <<<"$inputs"; then echo "${target}_test"; fi
  done
}
