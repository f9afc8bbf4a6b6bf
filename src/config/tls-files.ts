/** Reads the certificate and the key that clients are served with, and says what is wrong with them. Keeps neither. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Config } from './schema.ts';

type TlsFiles = NonNullable<Config['tls']>;

/** What a server needs to be who it says it is; PEM. */
export interface TlsIdentity {
  /** With the certificates between it and a known authority, if there are any. */
  readonly cert: string;
  readonly key: string;
}

type TlsReading =
  | { readonly ok: true; readonly identity: TlsIdentity }
  /** `at`: the key of the configuration that is to blame. */
  | { readonly ok: false; readonly at: keyof TlsFiles; readonly fault: string };

export const tlsVersionMin = 'TLSv1.2';

const fileBytesMax = 1024 * 1024;

/** Relative names start at `cwd`. Never rejects; no part of a file gets into a fault. */
export async function readTlsFiles(files: TlsFiles, cwd: string): Promise<TlsReading> {
  const cert = await readPem(resolve(cwd, files.cert));
  if ('fault' in cert) return { ok: false, at: 'cert', fault: cert.fault };
  const key = await readPem(resolve(cwd, files.key));
  if ('fault' in key) return { ok: false, at: 'key', fault: key.fault };
  const identity = { cert: cert.text, key: key.text };
  return faultOf(identity) ?? { ok: true, identity };
}

/** For files that were checked before. @throws Error that says what is wrong with which of them. */
export async function readTlsIdentity(files: TlsFiles): Promise<TlsIdentity> {
  const reading = await readTlsFiles(files, process.cwd());
  if (reading.ok) return reading.identity;
  throw new Error(`${files[reading.at]} (tls.${reading.at}) ${reading.fault}`);
}

async function readPem(file: string): Promise<{ readonly text: string } | { readonly fault: string }> {
  try {
    const found = await stat(file);
    if (!found.isFile()) return { fault: 'is not a regular file' };
    if (found.size > fileBytesMax) return { fault: `is larger than ${fileBytesMax} bytes` };
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    const reasons: Readonly<Record<string, string>> = { ENOENT: 'no such file', EACCES: 'permission denied' };
    return { fault: `cannot be read: ${reasons[code] ?? code}` };
  }
}

function faultOf({ cert, key }: TlsIdentity): Extract<TlsReading, { ok: false }> | undefined {
  const certificate = tryTo(() => new X509Certificate(cert));
  if (certificate === undefined) return { ok: false, at: 'cert', fault: 'holds no certificate in PEM form' };
  const privateKey = tryTo(() => createPrivateKey(key));
  if (privateKey === undefined) {
    const isEncrypted = /-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(key);
    const fault = isEncrypted
      ? 'is protected by a passphrase: a key without one is needed'
      : 'holds no private key in PEM form';
    return { ok: false, at: 'key', fault };
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    return { ok: false, at: 'key', fault: 'does not belong to the certificate in tls.cert' };
  }
  // A key that is too short, or a broken certificate further down the chain.
  const context = tryTo(() => createSecureContext({ cert, key, minVersion: tlsVersionMin }));
  return context === undefined
    ? { ok: false, at: 'cert', fault: 'cannot be used with this key for TLS' }
    : undefined;
}

function tryTo<Value>(build: () => Value): Value | undefined {
  try {
    return build();
  } catch {
    return undefined;
  }
}
