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

/** @throws Error when the file cannot be opened, is none of ours, or was written by a newer version. */
export function openActivityTable(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    if (path !== inMemory) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
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
