#!/bin/sh
# Starts the server and ends after some time, leaving it behind in the group with the pipes in its hands.
delay=$1
shift
"$@" &
sleep "$delay"
echo "wrapper leaves" >&2
exit 3
