import { describe, expect, test } from 'vitest';
import { promptOf } from '../../test/scheduler/prompts.ts';
import { Rig } from '../../test/scheduler/rig.ts';

const read = { prompt: { tokens: 10, cachedTokens: undefined } };

/** One backend of three slots that can be named. */
class Server extends Rig {
  constructor(namesSlots = true) {
    super({ namesSlots });
    this.come(0, 3);
  }

  come(epoch: number, slotIds?: number): void {
    this.backend('a', { slotsTotal: 3, slotIds, epoch });
  }

  /** Returns the slot that it was told; no text = a prompt too short to be found again. */
  begin(id: string, text = '', namesSlot = true): number | undefined {
    this.arrive(id, { prompt: text === '' ? undefined : promptOf(text), namesSlot });
    return this.grants.at(-1)?.slot;
  }

  serve(text: string): number | undefined {
    const slot = this.begin(text, text);
    this.finish(text, read);
    return slot;
  }
}

describe('which slot a prompt is sent to', () => {
  test('is the one of its conversation, however many came in between', () => {
    const server = new Server();
    expect([server.serve('system-ann1'), server.serve('system-bob1'), server.serve('system-cay1')]).toEqual([
      0, 1, 2,
    ]);
    expect(server.serve('system-ann1,ann2')).toBe(0);
    expect(server.serve('system-cay1,cay2')).toBe(2);
    expect(server.serve('system-bob1,bob2')).toBe(1);
  });

  test('is the least recently used one for a new conversation, whatever it shares with others', () => {
    const server = new Server();
    server.serve('the same long system text;ann');
    expect([server.serve('the same long system text;bob'), server.serve('other')]).toEqual([1, 2]);
    server.serve('the same long system text;anna');
    expect(server.serve('the same long system text;cay')).toBe(1);
  });

  test('is the same one when the last turn is said anew', () => {
    const server = new Server();
    server.serve('a long conversation, and its end');
    expect(server.serve('a long conversation, and its other')).toBe(1);
    expect(server.serve('a long conversation, and its enD and more')).toBe(0);
  });

  test('is another one while its own is in use', () => {
    const server = new Server();
    server.serve('system-ann');
    expect(server.begin('first', 'system-ann')).toBe(0);
    expect(server.begin('second', 'system-ann')).toBe(1);
    server.finish('first', read);
    expect(server.begin('third', 'system-ann')).toBe(0);
  });

  test('is left to the engine while requests run whose slot nobody knows', () => {
    const server = new Server();
    expect(server.begin('embedding', '', false)).toBeUndefined();
    expect(server.begin('chat', 'text')).toBeUndefined();
    server.finish('embedding');
    expect(server.begin('second', 'text')).toBeUndefined();
    server.finish('chat', read);
    server.finish('second', read);
    expect(server.begin('third', 'text')).toBe(0);
  });

  test('forgets a prompt that the engine has not read to its end', () => {
    const server = new Server();
    server.begin('one', 'system-ann');
    server.finish('one');
    server.serve('system-bob');
    expect(server.serve('system-ann')).not.toBe(0);
  });

  test('begins anew with an engine that came back', () => {
    const server = new Server();
    server.serve('system-ann');
    server.serve('system-bob');
    const slot = server.begin('running', 'system-cay');
    expect(slot).toBe(2);
    server.come(1, 3);
    expect(server.serve('system-bob')).toBe(0);
    server.finish('running', read);
    expect(server.serve('system-dan')).toBe(1);
  });

  test('stays in use by a request that the engine goes on with', () => {
    const server = new Server();
    server.begin('left', 'system-ann');
    server.finish('left', { lingers: true });
    expect(server.begin('next', 'system-ann')).toBe(1);
    server.finish('next', read);
    server.pass(60_000);
    expect(server.serve('other')).toBe(2);
    expect(server.serve('another')).toBe(0);
  });

  test('is left to the engine where that is wanted, or where slots have no names', () => {
    expect(new Server(false).serve('text')).toBeUndefined();
    const server = new Server();
    server.come(1);
    expect(server.serve('text')).toBeUndefined();
  });

  test('follows the configuration while requests run', () => {
    const server = new Server();
    expect(server.begin('before', 'text')).toBe(0);
    server.configure({ namesSlots: false });
    expect(server.begin('off', 'text')).toBeUndefined();
    server.finish('before', read);
    server.configure({ namesSlots: true });
    expect(server.begin('on', 'text')).toBe(0);
    server.finish('off');
    expect(server.begin('again', 'other')).toBe(1);
  });
});
