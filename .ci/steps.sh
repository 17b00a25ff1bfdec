# How `.ci/run` runs its steps: each has a budget in minutes, fails past it, and stands in the summary with its time.
# shellcheck shell=bash

names=() results=() seconds=() budgets=()
failed=0
readonly WHOLE=70 # minutes for everything, on two cores

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# chosen NAME: whether this run has it: every step, or those that it was given.
chosen() { [ "${#only[@]}" -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }

# note NAME MINUTES SECONDS RESULT: what the summary says of it.
note() {
    names+=("$1") budgets+=("$2") seconds+=("$3") results+=("$4")
    [ "$4" = passed ] || failed=$((failed + 1))
}

# step NAME MINUTES COMMAND…: run it, bounded in time, and remember how it ended.
step() {
    local name=$1 minutes=$2 started=$SECONDS status=0 result=passed
    shift 2
    chosen "$name" || return 0
    printf '\n=== %s  (%s since the start, at most %s minutes)\n    %s\n' "$name" "$(clock $SECONDS)" "$minutes" "$*"
    timeout --kill-after=30 "${minutes}m" "$@" || status=$?
    if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        result="failed: not done after $minutes minutes"
    elif [ "$status" -ne 0 ]; then
        result="failed: exit status $status"
    fi
    note "$name" "$minutes" $((SECONDS - started)) "$result"
    printf '=== %s: %s, %s of %s:00\n' "$name" "$result" "$(clock $((SECONDS - started)))" "$minutes"
}

# background NAME COMMAND…: start what step NAME needs, behind everything else; `.cache/NAME.log` has what it says.
# The step's own command waits for it (a lock, say) and does it itself where it failed or was never started.
background() {
    local name=$1
    shift
    chosen "$name" || return 0
    mkdir -p .cache
    printf '\n... %s, in the background: %s\n' "$name" "$*"
    setsid nice -n 19 "$@" >".cache/$name.log" 2>&1 &
    trap 'for job in $(jobs -p); do kill -- "-$job" 2>/dev/null; done' EXIT
}

# summary: every step with its time and budget; the last line counts them. Non-zero if any failed.
summary() {
    [ "${#names[@]}" -gt 0 ] || { echo "no such step: ${only[*]}"; return 2; }
    local whole=passed
    [ "$SECONDS" -le $((WHOLE * 60)) ] || whole="failed: more than $WHOLE minutes"
    note everything "$WHOLE" "$SECONDS" "$whole"
    printf '\n%-24s %8s %8s  %s\n' step time budget result
    for i in "${!names[@]}"; do
        printf '%-24s %8s %8s  %s\n' "${names[$i]}" "$(clock "${seconds[$i]}")" "${budgets[$i]}:00" "${results[$i]}"
    done
    printf '\n%d passed, %d failed\n' $((${#names[@]} - failed)) "$failed"
    [ "$failed" -eq 0 ]
}
