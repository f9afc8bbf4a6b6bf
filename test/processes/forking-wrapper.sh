#!/bin/sh
# Starts the server as a child, as many wrapper scripts do, and waits for it.
"$@" &
wait
