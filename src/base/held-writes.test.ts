import { Writable } from 'node:stream';
import { setImmediate as turnEnds } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { holdWrites } from './held-writes.ts';

/** A socket that notes every write that reaches it. */
function createSocket() {
  const sent: string[] = [];
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk.toString());
      done();
    },
    writev(chunks, done) {
      sent.push(chunks.map(({ chunk }) => String(chunk)).join('+'));
      done();
    },
  });
  return { socket, sent };
}

function write(socket: Writable, text: string): void {
  holdWrites(socket);
  socket.write(text);
}

describe('holdWrites', () => {
  test('sends at the end of a turn what was written in it', async () => {
    const [a, b] = [createSocket(), createSocket()];
    write(a.socket, 'a');
    write(b.socket, 'b');
    expect([a.sent, b.sent]).toEqual([[], []]);
    await turnEnds();
    expect([a.sent, b.sent]).toEqual([['a'], ['b']]);
  });

  test('makes one write of those to one socket', async () => {
    const { socket, sent } = createSocket();
    write(socket, 'head');
    write(socket, 'body');
    await turnEnds();
    expect(sent).toEqual(['head+body']);
  });

  test('holds again in the next turn', async () => {
    const { socket, sent } = createSocket();
    write(socket, 'first');
    await turnEnds();
    write(socket, 'second');
    expect(sent).toEqual(['first']);
    await turnEnds();
    expect(sent).toEqual(['first', 'second']);
  });

  test('loses nothing when the socket ends in the same turn', async () => {
    const { socket, sent } = createSocket();
    write(socket, 'last');
    socket.end();
    await turnEnds();
    expect([sent, socket.writableFinished]).toEqual([['last'], true]);
  });

  test('leaves back pressure as it is', async () => {
    const { socket } = createSocket();
    holdWrites(socket);
    expect(socket.write(Buffer.alloc(socket.writableHighWaterMark))).toBe(false);
    expect(socket.writableNeedDrain).toBe(true);
    await turnEnds();
    expect(socket.writableNeedDrain).toBe(false);
  });
});
