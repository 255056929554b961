# shellcheck shell=bash
# What ./dev says while it works, on standard error: one line for each step with the time since the start. On a
# terminal the line of the running step counts in place; elsewhere it is repeated every 30 seconds.

elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }
say() { printf 'dev %s  %s\n' "$(elapsed)" "$*" >&2; }

# step LABEL COMMAND...: runs a program. A step that took no time says nothing. A step that fails prints what the
# program printed, last, and ends ./dev. COMMAND is no shell function: those would not stop at their first error.
step() {
  local label=$1 log status began=$SECONDS
  shift
  log=$(mktemp)
  set +e
  "$@" 2>&1 | follow "$label" "$log"
  status=${PIPESTATUS[0]}
  set -e
  if ((status != 0)); then
    say "$label: failed"
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  ((SECONDS - began < 2)) || say "$label: done in $((SECONDS - began)) s"
}

# follow LABEL LOG: standard input is the output of a running step. Lines that count ("[12/34] …" of ninja,
# "12/34 Test …Passed" of ctest, "[.] …") move the counter, all others are kept in LOG.
follow() {
  local label=$1 log=$2 line='' partial='' count='' steps=0 told=$SECONDS status wait=30
  if [[ -t 2 ]]; then wait=1; fi
  while true; do
    show_progress
    if IFS= read -r -t "$wait" line; then status=0; else status=$?; fi
    line=$partial$line
    partial=''
    if ((status > 128)); then  # no whole line for a while
      partial=$line
      continue
    fi
    ((status == 0)) || [[ -n $line ]] || break
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] || $line =~ ^\ *([0-9]+)/([0-9]+)\ Test.*Passed ]]; then
      count="${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
    elif [[ $line == '[.] '* ]]; then
      count=$((++steps))
    else
      case $line in
        ninja:\ Entering* | ninja:\ no\ work* | *'      Start '*) ;;
        *) printf '%s\n' "$line" >>"$log" ;;
      esac
    fi
    ((status == 0)) || break
  done
  if [[ -t 2 ]]; then printf '\r\e[K' >&2; fi
}

# The line of the running step, from follow's variables.
show_progress() {
  if [[ -t 2 ]]; then
    printf '\r\e[Kdev %s  %s%s' "$(elapsed)" "$label" "${count:+: $count}" >&2
  elif ((SECONDS - told >= 30)); then
    say "$label${count:+: $count}"
    told=$SECONDS
  fi
}
