#!/bin/sh
# Starts a process in a session of its own with an empty environment, known only by its parent, then becomes the server.
env -i setsid sleep 302 &
echo "bare pid $!"
exec "$@"
