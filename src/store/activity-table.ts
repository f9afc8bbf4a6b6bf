/** The SQLite table of finished requests: its columns, its versions, and how a file is opened. Knows no queries. */
import { DatabaseSync } from 'node:sqlite';

/** In order; a file of an older version gets those that it lacks. */
const migrations: readonly string[] = [
  `CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    model TEXT NOT NULL,
    path TEXT NOT NULL,
    flow TEXT NOT NULL,
    backend TEXT NOT NULL,
    content_type TEXT NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    cache_tokens INTEGER NOT NULL,
    draft_tokens INTEGER NOT NULL,
    draft_tokens_accepted INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    prompt_rate REAL NOT NULL,
    output_rate REAL NOT NULL,
    duration_ms INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    load_ms INTEGER NOT NULL,
    prompt_ms INTEGER NOT NULL,
    generation_ms INTEGER NOT NULL,
    error_message TEXT NOT NULL,
    metadata TEXT NOT NULL
  ) STRICT;
  CREATE INDEX activity_created ON activity (created DESC, id DESC);
  CREATE INDEX activity_model ON activity (model, created DESC, id DESC);`,
];

const busyTimeoutMs = 5000;
export const inMemory = ':memory:';

/** Space of rows that have left can be given back later (which a file without tables alone takes); the log beside it stays small. */
const fileSettings = `PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
  PRAGMA journal_size_limit = 4194304`;

/** @throws Error when the file cannot be opened, is none of ours, or was written by a newer version. */
export function openActivityTable(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    if (path !== inMemory) database.exec(fileSettings);
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > migrations.length) throw new Error(`The store is of a newer version (${version})`);
  for (const [index, statements] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN; ${statements} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

/** What is to leave: rows beyond a count, and those that came before a time. Infinity = no such limit. */
export interface Retention {
  readonly rowsMax: number;
  readonly fromEpochMs: number;
}

/** Rows that leave in one go, and pages that are given back: either takes some milliseconds. */
const sweptRowsMax = 2000;
const freedPagesMax = 1000;
/** Free pages are used again by new rows; more than this part of a file is given back. */
const freeShareMax = 1 / 4;

/** Removes some of what is to leave, the oldest first. True when there may be more. */
export function sweepActivity(database: DatabaseSync, { rowsMax, fromEpochMs }: Retention): boolean {
  let removed = 0;
  if (Number.isFinite(rowsMax)) {
    removed += remove(database, 'id <= (SELECT id FROM activity ORDER BY id DESC LIMIT 1 OFFSET ?)', rowsMax);
  }
  if (Number.isFinite(fromEpochMs)) removed += remove(database, 'created < ?', fromEpochMs);
  return removed >= sweptRowsMax;
}

/** Gives back some of the space that nothing is in. Not inside a transaction. True when there may be more. */
export function shrinkActivity(database: DatabaseSync): boolean {
  const free = pragma(database, 'freelist_count');
  if (free <= freedPagesMax || free <= pragma(database, 'page_count') * freeShareMax) return false;
  database.exec(`PRAGMA incremental_vacuum(${freedPagesMax})`);
  return pragma(database, 'freelist_count') < free;
}

function remove(database: DatabaseSync, condition: string, value: number): number {
  const chosen = `SELECT id FROM activity WHERE ${condition} ORDER BY id LIMIT ${sweptRowsMax}`;
  return Number(database.prepare(`DELETE FROM activity WHERE id IN (${chosen})`).run(value).changes);
}

function pragma(database: DatabaseSync, name: 'freelist_count' | 'page_count'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
