/** What the documents tell readers to write works: every configuration in them loads, every command line is one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../src/cli/run.ts';
import { loadConfigText } from '../src/config/load.ts';
import { formatProblem } from '../src/config/problems.ts';

const root = resolve(import.meta.dirname, '..');
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Block {
  /** `docs/keys.md:12`, the line of its first fence. */
  readonly place: string;
  readonly text: string;
}

function blocksOf(language: string): Block[] {
  return documents.flatMap((document) => {
    const text = readFileSync(join(root, document), 'utf8');
    const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
    return Array.from(fences, ({ index, 1: inside = '' }) => ({
      place: `${document}:${text.slice(0, index).split('\n').length}`,
      text: inside,
    }));
  });
}

/** A piece that shows some keys only stands in a configuration with two backends. */
function wholeConfig(text: string): string {
  const written = parse(text, { merge: true }) as Record<string, unknown>;
  const hasServers = ['backends', 'models', 'peers'].some((key) => key in written);
  const servers = { gpu1: { url: 'http://10.0.0.11:8080' }, gpu2: { url: 'http://10.0.0.12:8080' } };
  return hasServers ? text : `${text}\nbackends: ${JSON.stringify(servers)}\n`;
}

/** Command lines of the program, as words after its name; a backslash joins lines, a comment ends one. */
function commandLines({ text }: Block): string[][] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/\s#.*$/, '').trim())
    .flatMap((line) => {
      const words = /^(?:[A-Z_]+=\S+ )*(?:npx )?llamero(?: (.*))?$/.exec(line)?.[1];
      return words === undefined ? [] : [words.split(/\s+/)];
    });
}

describe('the configurations in the documents', () => {
  const blocks = blocksOf('yaml');

  test('are found', () => {
    expect(new Set(blocks.map(({ place }) => place.split(':')[0])).size).toBeGreaterThanOrEqual(8);
  });

  test.each(blocks)('$place loads without a warning', ({ place, text }) => {
    const names = Array.from(text.matchAll(/\$\{env\.(\w+)\}/g), ([, name = '']) => name);
    const result = loadConfigText({
      file: place,
      text: wholeConfig(text),
      env: Object.fromEntries(names.map((name) => [name, `key-of-${name}`])),
    });
    const told = result.ok ? result.warnings : result.problems;
    expect(told.map(formatProblem)).toEqual([]);
  });
});

describe('the command lines in the documents', () => {
  const lines = blocksOf('sh').flatMap((block) =>
    commandLines(block).map((words) => ({ place: block.place, words })),
  );

  test('are found', () => {
    expect(lines.length).toBeGreaterThanOrEqual(10);
  });

  test.each(lines)('$place: $words are a command and options that it has', async ({ words }) => {
    const written = { stdout: '', stderr: '' };
    const isServe = words[0]?.startsWith('-') === true;
    const code = await runCli(['help', isServe ? 'serve' : (words[0] ?? '')], {
      stdout: (text) => (written.stdout += text),
      stderr: (text) => (written.stderr += text),
      stderrIsTty: false,
      env: {},
      cwd: root,
      onSignal: () => () => {},
    });
    expect({ code, stderr: written.stderr }).toEqual({ code: 0, stderr: '' });
    const options = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ''));
    for (const option of options) expect(written.stdout.match(/--?[a-z][\w-]*/g)).toContain(option);
  });
});
