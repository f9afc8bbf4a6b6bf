import { describe, expect, test } from 'vitest';
import { peer } from '../../test/resolved-models.ts';
import type { ResolvedTimeouts } from '../config/models.ts';
import type { BackendView } from '../domain/backend-view.ts';
import type { Backend } from '../engines/backend.ts';
import { isSamePeer, PeerBackend, peerBackendConfig } from './peer-backend.ts';

const timeouts: ResolvedTimeouts = {
  connectMs: 30_000,
  keepaliveMs: 30_000,
  responseHeaderMs: 60_000,
  tlsHandshakeMs: 10_000,
  expectContinueMs: 1000,
  idleConnMs: 90_000,
};

const far = (more: object = {}) =>
  peer('far', { proxy: 'https://far.example/base', models: ['org/m', 'n'], timeouts, ...more });

/** What a probe of it told. */
function watched(objects: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {}): Backend {
  const view: Partial<BackendView> = { id: 'peer:far', state: 'live', models: new Map([['else', 'else']]) };
  return {
    id: 'peer:far',
    url: new URL('https://far.example/base'),
    view,
    modelObjects: new Map(Object.entries(objects)),
  } as unknown as Backend;
}

describe('PR-5 the way to a peer', () => {
  test.each<[string, object, object]>([
    ['holds the connection and its handshake', {}, { connect: 40_000, firstByte: 60_000, idle: 0 }],
    ['has no handshake without TLS', { proxy: 'http://far.example' }, { connect: 30_000 }],
    ['has no limit where 0 stands', { timeouts: { ...timeouts, connectMs: 0 } }, { connect: 3_600_000 }],
    ['waits for ever where 0 stands', { timeouts: { ...timeouts, responseHeaderMs: 0 } }, { firstByte: 0 }],
  ])('%s', (_name, more, expected) => {
    expect(peerBackendConfig(far(more)).timeouts).toMatchObject(expected);
  });

  test('has room for many requests and asks for no engine of its own', () => {
    expect(peerBackendConfig(far({ apiKey: 'k' }))).toMatchObject({
      url: 'https://far.example/base',
      apiKey: 'k',
      slots: 32,
      engine: 'openai',
    });
  });

  test('keeps no connection idle for longer than allowed', () => {
    const idle = (idleConnMs: number) =>
      new PeerBackend(far({ timeouts: { ...timeouts, idleConnMs } }), watched()).kind.socketIdleMsMax;
    expect([idle(1000), idle(90_000), idle(0)]).toEqual([1000, 4000, 4000]);
  });
});

describe('PR-1 a peer as a backend', () => {
  test('offers what is configured under its full name, whatever its own list says', () => {
    const { view } = new PeerBackend(far(), watched());
    expect([...view.models]).toEqual([
      ['far/org/m', 'far/org/m'],
      ['far/n', 'far/n'],
    ]);
    expect([view.state, view.id]).toEqual(['live', 'peer:far']);
  });

  test('knows what is loaded there where the list tells it', () => {
    const objects = {
      'org/m': { status: { value: 'loaded' } },
      n: { status: { value: 'unloaded' } },
      else: {},
    };
    const backend = new PeerBackend(far(), watched(objects));
    expect([...backend.view.loaded]).toEqual(['far/org/m']);
    expect([...backend.modelObjects.keys()]).toEqual(['far/org/m', 'far/n']);
  });

  test('wants requests under its own names', () => {
    const backend = new PeerBackend(far(), watched());
    expect([backend.editsFor('far/org/m').model, backend.editsFor('far/other').model]).toEqual([
      'org/m',
      undefined,
    ]);
  });

  test('is to blame for what says that it cannot be had, not for what a model of its did', () => {
    const { kind } = new PeerBackend(far(), watched());
    expect([500, 501, 502, 503, 504].map((status) => kind.blamesClient(status, ''))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

test('a peer stays the same while its way there does', () => {
  expect(isSamePeer(far(), far({ models: ['x'] }))).toBe(true);
  for (const more of [
    { proxy: 'https://b.example' },
    { apiKey: 'k' },
    { timeouts: { ...timeouts, connectMs: 1 } },
  ]) {
    expect(isSamePeer(far(), far(more))).toBe(false);
  }
});
