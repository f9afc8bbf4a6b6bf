import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { findForeignHost, findForeignSocket, isPrivateHost } from './site-guard.ts';

describe('isPrivateHost', () => {
  test.each([
    '127.0.0.1:8080',
    '[::1]:8080',
    '[::1]',
    'localhost',
    'LocalHost:8080',
    'localhost.',
    'app.localhost:1',
    'llamero',
    'nas.local',
    'host.docker.internal:80',
    'box.lan',
    'box.home.arpa',
    `${hostname()}:8080`,
    '',
  ])('takes %s', (host) => {
    expect(isPrivateHost(host)).toBe(true);
  });

  test.each([
    'evil.example',
    'evil.example:8080',
    'evil.example.',
    '127.0.0.1.evil.example',
    'localhost.evil.example:80',
    'notlocal.evillocal.example',
    'local.evil.example',
    '[::1].evil.example',
    '127.0.0.1:8080.evil.example',
    '127.0.0.1@evil.example',
  ])('does not take %s', (host) => {
    expect(isPrivateHost(host)).toBe(false);
  });
});

describe('findForeignHost', () => {
  const foreign = ['Host', 'evil.example'];
  test('names the host and the way out', () => {
    expect(findForeignHost(foreign, { allowUnauthenticated: false })).toMatchObject({
      code: 'host_refused',
      message: expect.stringMatching(/'evil\.example'.*apiKeys/) as string,
    });
  });

  test('leaves everybody alone where everybody is allowed, and who names no host', () => {
    expect(findForeignHost(foreign, { allowUnauthenticated: true })).toBeUndefined();
    expect(findForeignHost([], { allowUnauthenticated: false })).toBeUndefined();
  });
});

describe('findForeignSocket', () => {
  test.each([
    [['Host', 'localhost:1', 'Origin', 'http://localhost:1'], true],
    [['Host', 'localhost:1'], true],
    [['Host', 'localhost:1', 'Origin', 'http://localhost:2'], false],
    [['Host', 'localhost:1', 'Origin', 'null'], false],
    [['Host', 'localhost:1', 'Origin', 'http://localhost:1', 'Sec-Fetch-Site', 'cross-site'], false],
  ])('of %j: passes is %s', (headers, passes) => {
    expect(findForeignSocket(headers) === undefined).toBe(passes);
  });
});
