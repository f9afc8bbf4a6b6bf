/**
 * Holds what is written to sockets until all that came in with one look at the network is handled. Programs at the other
 * ends are then woken once for many messages and not for each, which costs the sender more than the message. Owns no
 * socket; what is written keeps its order and its back pressure.
 */
import type { Writable } from 'node:stream';

let held: Writable[] = [];

/** What is written to the socket goes out at the end of this turn of the event loop, or with its `end()`; `destroy()` before that loses it. */
export function holdWrites(socket: Writable): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  held.push(socket);
  if (held.length === 1) setImmediate(sendHeld);
}

function sendHeld(): void {
  const sockets = held;
  held = [];
  for (const socket of sockets) socket.uncork();
}
