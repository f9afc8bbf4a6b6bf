#!/bin/sh
# Starts the server and ends once the named file exists, leaving the server behind in the group with the pipes in hand.
leave=$1
shift
"$@" &
until test -e "$leave"; do sleep 0.05; done
echo "wrapper leaves" >&2
exit 3
