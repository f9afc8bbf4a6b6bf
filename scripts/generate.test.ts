import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { placesByKey, rootNode } from '../src/config/schema-node.ts';
import { errorTable } from '../src/domain/errors.ts';
import { filters, pickers, scorers } from '../src/scheduler/policies/index.ts';
import { presets } from '../src/scheduler/presets.ts';
import { documents, staleDocuments } from './generate/documents.ts';

const root = resolve(import.meta.dirname, '..');

function readDocument(path: string): string {
  return readFileSync(resolve(root, path), 'utf8');
}

/** First cells of the rows of all tables under a heading; `pattern` takes the name out of a cell. */
function firstCells(text: string, pattern: RegExp): string[] {
  return text.split('\n').flatMap((line) => pattern.exec(line)?.[1] ?? []);
}

test.each(documents)('$path is what the sources say', ({ path, render }) => {
  expect(readDocument(path)).toBe(render());
});

test('staleDocuments names what is missing or differs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'llamero-generate-'));
  try {
    expect(staleDocuments(folder)).toEqual(documents);
    for (const { path, render } of documents) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), path === 'docs/errors.md' ? `${render()}by hand` : render());
    }
    expect(staleDocuments(folder).map(({ path }) => path)).toEqual(['docs/errors.md']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('generate --check', () => {
  const script = resolve(root, 'scripts/generate.ts');

  test('is silent while everything is current', () => {
    expect(execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).toBe('');
  });

  test('refuses options that it does not know', () => {
    const { status, stderr } = spawnSync(process.execPath, [script, '--chekc'], { encoding: 'utf8' });
    expect(status).toBe(64);
    expect(stderr).toContain('Usage:');
  });
});

describe('docs/config.md', () => {
  const documented = firstCells(readDocument('docs/config.md'), /^\| `([^`]+)` \|/);

  test('has every key of the schema, and none that is not there', () => {
    const keys = [...placesByKey].flatMap(([key, places]) =>
      places.map((place) => (place === '' ? key : `${place}.${key}`)),
    );
    // A section has its key as the title, not as a row.
    const sections = Object.entries(rootNode.properties ?? {}).flatMap(([key, { type }]) =>
      type === 'object' ? [key] : [],
    );
    expect([...documented, ...sections].sort()).toEqual(keys.sort());
  });

  test('has each key once', () => {
    expect(new Set(documented).size).toBe(documented.length);
  });
});

describe('docs/errors.md', () => {
  const text = readDocument('docs/errors.md');

  test('has every error code, and none that does not exist', () => {
    expect(firstCells(text, /^\| `([a-z_]+)` \|/).sort()).toEqual(Object.keys(errorTable).sort());
  });

  test('has every exit status, and none that does not exist', () => {
    const documented = firstCells(text, /^\| (\d+) \|/);
    expect(documented.sort()).toEqual(Object.values(exitCodes).map(String).sort());
  });
});

test('docs/policies.md has every policy and preset, and none that does not exist', () => {
  const documented = firstCells(readDocument('docs/policies.md'), /^\| `([a-z-]+)` \|/);
  const names = [...filters, ...scorers, ...pickers].map(({ name }) => name);
  expect(documented.sort()).toEqual([...names, ...Object.keys(presets)].sort());
});
