import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { selfSigned } from '../../../test/fixtures/self-signed.ts';
import { findKey, findRouterUrl, RouterUnknown } from './find-router.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The URL found in a folder with these files. */
function findIn(files: Readonly<Record<string, string>>, config?: string): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'llamero-top-'));
  folders.push(cwd);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const io = { stdout: () => {}, stderr: () => {}, env: {}, cwd };
  return findRouterUrl({ url: undefined, config, configDir: undefined }, io).then(({ href }) => href);
}

describe('findRouterUrl', () => {
  test('without a configuration is the address that serve has by default', async () => {
    expect(await findIn({})).toBe('http://127.0.0.1:8700/');
  });

  test.each([
    ['listen: 127.0.0.1:9000', 'http://127.0.0.1:9000/'],
    ['listen: ["localhost:9001", "127.0.0.1:9002"]', 'http://localhost:9001/'],
    ['listen: ":9003"\nallowUnauthenticated: true', 'http://127.0.0.1:9003/'],
    ['listen: "0.0.0.0:9003"\nallowUnauthenticated: true', 'http://127.0.0.1:9003/'],
    ['listen: "[::]:9003"\nallowUnauthenticated: true', 'http://[::1]:9003/'],
    ['listen: "[::1]:9004"', 'http://[::1]:9004/'],
  ])('reads %j as %s', async (text, href) => {
    expect(await findIn({ 'llamero.yaml': text })).toBe(href);
  });

  test('is HTTPS where the router serves that', async () => {
    const { cert, key } = selfSigned();
    const files = {
      'cert.pem': cert,
      'key.pem': key,
      'llamero.yaml': 'tls: { cert: cert.pem, key: key.pem }',
    };
    expect(await findIn(files)).toBe('https://127.0.0.1:8700/');
  });

  test('takes the file that is named before the usual one', async () => {
    const files = { 'llamero.yaml': 'listen: 127.0.0.1:1', 'other.yaml': 'listen: 127.0.0.1:9005' };
    expect(await findIn(files, 'other.yaml')).toBe('http://127.0.0.1:9005/');
  });

  test.each([
    ['a bad file', { 'llamero.yaml': 'lisen: 127.0.0.1:1' }, undefined, 78],
    ['a file that is not there', {}, 'gone.yaml', 66],
    ['any free port', { 'llamero.yaml': 'listen: 127.0.0.1:0' }, undefined, 64],
  ])('does not know it from %s, and says what to do', async (_what, files, config, exitCode) => {
    const error = await findIn(files, config).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RouterUnknown);
    expect(error).toMatchObject({ exitCode, message: expect.stringMatching(/use --url$/) as string });
  });
});

describe('findKey', () => {
  test('reads the variable that is named, else the usual one', () => {
    const env = { LLAMERO_API_KEY: 'usual', OTHER: 'named' };
    expect([findKey({ keyEnv: undefined }, env), findKey({ keyEnv: 'OTHER' }, env)]).toEqual([
      'usual',
      'named',
    ]);
  });

  test('without one is nothing, unless one was named', () => {
    expect(findKey({ keyEnv: undefined }, { LLAMERO_API_KEY: '' })).toBeUndefined();
    expect(() => findKey({ keyEnv: 'OTHER' }, {})).toThrow('OTHER (--key-env) is not set');
  });
});
