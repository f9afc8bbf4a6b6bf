/**
 * The file of keys that `llamero keys` writes and a running router reads. Holds digests and rules, never a key. Each
 * change is one transaction, so that commands at the same time, or one that is killed, leave a whole file.
 */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parseKeyConfig, type KeyConfig } from '../config/schema-keys.ts';

export interface StoredKey {
  readonly name: string;
  /** See key-digest.ts. */
  readonly digest: string;
  readonly rules: KeyConfig;
  readonly createdEpochMs: number;
}

const version = 1;
const busyTimeoutMs = 5000;
/** A router that reads must not stand still for long. */
const readBusyTimeoutMs = 200;
const ownerOnly = 0o600;
const table = `CREATE TABLE keys (
  name TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  rules TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID`;

/** False when the name is taken; then nothing changes. Creates the file for its owner alone. @throws Error when it cannot be written. */
export function addStoredKey(path: string, { name, digest, rules, createdEpochMs }: StoredKey): boolean {
  closeSync(openSync(path, 'a', ownerOnly));
  chmodSync(path, ownerOnly);
  return withFile(path, busyTimeoutMs, (database) => {
    database.exec('BEGIN IMMEDIATE');
    if (versionOf(database) === 0) database.exec(`${table}; PRAGMA user_version = ${version}`);
    const { changes } = database
      .prepare(
        'INSERT INTO keys (name, digest, rules, created) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING',
      )
      .run(name, digest, JSON.stringify(rules), createdEpochMs);
    database.exec('COMMIT');
    return changes === 1;
  });
}

/** False when there is no such key. @throws Error when the file cannot be written. */
export function revokeStoredKey(path: string, name: string): boolean {
  if (!existsSync(path)) return false;
  return withFile(path, busyTimeoutMs, (database) => {
    if (versionOf(database) === 0) return false;
    return database.prepare('DELETE FROM keys WHERE name = ?').run(name).changes === 1;
  });
}

/** By name; none where there is no file. @throws Error when it cannot be read, or holds what this version does not know. */
export function readStoredKeys(path: string): StoredKey[] {
  if (!existsSync(path)) return [];
  // Not read-only: what a command that was killed has left has to be rolled back first.
  return withFile(path, readBusyTimeoutMs, (database) => {
    if (versionOf(database) === 0) return [];
    return database
      .prepare('SELECT * FROM keys ORDER BY name')
      .all()
      .map((row) => ({
        name: String(row['name']),
        digest: String(row['digest']),
        rules: parseKeyConfig(JSON.parse(String(row['rules']))),
        createdEpochMs: Number(row['created']),
      }));
  });
}

function withFile<Result>(path: string, timeoutMs: number, use: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(path, { timeout: timeoutMs });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

function versionOf(database: DatabaseSync): number {
  const { user_version: found } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (found > version) throw new Error(`The file of keys is of a newer version (${found})`);
  return found;
}
