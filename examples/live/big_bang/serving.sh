#!/bin/sh
# Says what nginx's workers serve now, in percent by their own words, and whether the new version is well.
set -eu
percent=$(curl -sSf -m 2 http://127.0.0.1:8080/rollway)
ready=false
if curl -sf -o /dev/null -m 2 http://127.0.0.1:8082/health; then ready=true; fi
printf '{"share": %s, "candidate_ready": %s}\n' "$((percent / 100))" "$ready"
