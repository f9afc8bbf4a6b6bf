import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../test/fixtures/self-signed.ts';
import { formatProblem } from './problems.ts';
import { readConfigFiles } from './read-files.ts';

const { cert, key } = selfSigned();
const protectedKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'llamero-tls-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, 'sub'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function problemsOf(
  cwd: string,
  more: { tls?: { cert: string; key: string } } = {},
): Promise<string[]> {
  const result = await readConfigFiles({ file: 'c.yaml' }, { cwd, env: {}, ...more });
  return result.ok ? [] : result.problems.map(formatProblem);
}

const yaml = 'backends: { one: { url: http://127.0.0.1:1 } }\ntls:\n  cert: a.pem\n  key: b.pem\n';

test.each<[string, Readonly<Record<string, string>>, string[]]>([
  ['a pair', { 'a.pem': cert, 'b.pem': key }, []],
  ['a missing certificate', { 'b.pem': key }, ['c.yaml:3:9 tls.cert: cannot be read: no such file']],
  ['a missing key', { 'a.pem': cert }, ['c.yaml:4:8 tls.key: cannot be read: no such file']],
  [
    'no certificate',
    { 'a.pem': 'hello', 'b.pem': key },
    ['c.yaml:3:9 tls.cert: holds no certificate in PEM form'],
  ],
  ['no key', { 'a.pem': cert, 'b.pem': cert }, ['c.yaml:4:8 tls.key: holds no private key in PEM form']],
  [
    'a protected key',
    { 'a.pem': cert, 'b.pem': protectedKey },
    ['c.yaml:4:8 tls.key: is protected by a passphrase: a key without one is needed'],
  ],
  [
    'the key of another certificate',
    { 'a.pem': cert, 'b.pem': selfSigned().key },
    ['c.yaml:4:8 tls.key: does not belong to the certificate in tls.cert'],
  ],
])('the files of a configuration with %s', async (_name, files, expected) => {
  expect(await problemsOf(folderWith({ ...files, 'c.yaml': yaml }))).toEqual(expected);
});

test('a folder is no certificate', async () => {
  const text = yaml.replace('a.pem', 'sub');
  expect(await problemsOf(folderWith({ 'c.yaml': text, 'b.pem': key }))).toEqual([
    'c.yaml:3:9 tls.cert: is not a regular file',
  ]);
});

test('files of the command line stand in for those of the configuration, and are blamed by their flags', async () => {
  const folder = folderWith({ 'c.yaml': yaml, 'mine.pem': cert });
  const tls = { cert: 'mine.pem', key: 'none.pem' };
  expect(await problemsOf(folder, { tls })).toEqual(['--tls-key-file none.pem cannot be read: no such file']);
});
