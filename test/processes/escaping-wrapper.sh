#!/bin/sh
# Starts two processes in sessions of their own, one of them orphaned at once, then becomes the server.
setsid sleep 300 &
(setsid sleep 301 &)
exec "$@"
