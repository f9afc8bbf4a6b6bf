/** What the code must not call or say. */
import { findInCode, findLines, file, isCode, isProduct, isTest } from './source-tree.ts';
import type { SourceFile, TidyCheck } from './source-tree.ts';

export const onlyMainTouchesTheProcess: TidyCheck = {
  rule: 'reads process.env and calls process.exit in src/main.ts only',
  run: (files) =>
    files
      .filter(({ path }) => isProduct(path) && path !== 'src/main.ts')
      .flatMap((source) =>
        findInCode(
          source,
          /\bprocess\s*\.\s*(env|exit|exitCode)\b|\{[^}]*\b(env|exit)\b[^}]*\}\s*=\s*process\b/,
          (match) => `uses process.${match[1] ?? match[2]}`,
        ),
      ),
  bad: [
    [file('src/app.ts', 'const home = process.env.HOME;')],
    [file('src/cli/serve.ts', 'process.exit(1);')],
    [file('src/cli/serve.ts', 'const { env } = process;')],
  ],
  good: [
    file('src/main.ts', 'process.exit(process.env.A ? 1 : 0);'),
    file('src/app.ts', '// process.env', 'const pid = process.pid;', 'const a = "process.exit(1)";'),
  ],
};

const impure =
  /\b(?:Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|Promise|fetch|async|await)\b|\bMath\s*\.\s*random\b|(?<![.\w$])process\s*[.[]/;

export const schedulerIsPure: TidyCheck = {
  rule: 'keeps the scheduler free of time, chance, waiting and Node',
  run: (files) =>
    files
      .filter(({ path }) => isProduct(path) && path.startsWith('src/scheduler/'))
      .flatMap((source) => [
        ...findInCode(source, impure, (match) => `uses ${match[0]}`),
        ...findLines(
          source,
          /^\s*(?:import|export|\}).*\bfrom ['"]node:|\bimport\(?\s*['"]node:/,
          'imports a Node module',
        ),
      ]),
  bad: [
    [file('src/scheduler/a.ts', 'const now = Date.now();')],
    [file('src/scheduler/a.ts', 'const now = performance.now();')],
    [file('src/scheduler/a.ts', 'const luck = Math.random();')],
    [file('src/scheduler/a.ts', 'setTimeout(tick, 5);')],
    [file('src/scheduler/policies/a.ts', 'export async function pick() {}')],
    [file('src/scheduler/a.ts', 'const x = await y;')],
    [file('src/scheduler/a.ts', 'const x = process.pid;')],
    [file('src/scheduler/a.ts', "import { hash } from 'node:crypto';")],
    [file('src/scheduler/a.ts', "import 'node:crypto';")],
  ],
  good: [
    file(
      'src/scheduler/a.ts',
      '/** No Date, no await. */',
      'const a = state.random.next();',
      'const b = view.process?.host;',
      "note('await node:x');",
    ),
    file('src/scheduler/a.test.ts', 'const now = Date.now();'),
  ],
};

export const noAny: TidyCheck = {
  rule: 'uses no `any`',
  run: (files) =>
    files
      .filter(({ path }) => path.endsWith('.ts'))
      .flatMap((source) => findInCode(source, /(?<![.\w$])any\b(?!\s*[:(=?])/, 'uses the type any')),
  bad: [
    [file('src/base/a.ts', 'let a: any;')],
    [file('test/a.test.ts', 'const a = b as any;')],
    [file('src/base/a.ts', 'const a = new Map<string, any>();')],
    [file('scripts/a.ts', 'function f(a: any[]) {}')],
  ],
  good: [
    file('src/base/a.ts', '// any', 'AbortSignal.any([a]);', "say('any');", 'const company = { any: 1 };'),
  ],
};

const leftover = /\b(?:FIXME|TODO|XXX|HACK)\b/;

export const nothingLeftOver: TidyCheck = {
  rule: 'leaves no notes to self behind',
  run: (files) =>
    files
      .filter(({ path }) => !path.startsWith('test/tidy/') && path !== 'test/tidy.test.ts')
      .flatMap((source) => findLines(source, leftover, (match) => `says ${match[0]}`)),
  bad: [
    [file('src/base/a.ts', '// FIXME: later')],
    [file('docs/a.md', 'TODO')],
    [file('test/a.test.ts', '/* XXX */')],
  ],
  good: [file('src/base/a.ts', '// a todo list, XXXL, hackers')],
};

const lookTheSame =
  /^\s*\/\/\s*(?:(?:const|let|return|import|export|if|for|while|await|function|throw|type)\b.*[;{]|[\w.]+\(.*\);|[}\])]+[;,]?)\s*$/;

export const noCommentedOutCode: TidyCheck = {
  rule: 'has no code in comments',
  run: (files) =>
    files
      .filter(({ path }) => isCode(path) && !path.startsWith('test/tidy/'))
      .flatMap((source) => findLines(source, lookTheSame, 'is commented-out code: delete it')),
  bad: [
    [file('src/base/a.ts', '  // const old = 1;')],
    [file('src/base/a.ts', '// if (a) {')],
    [file('src/base/a.ts', '// }')],
    [file('src/base/a.ts', '// queue.push(item);')],
  ],
  good: [
    file(
      'src/base/a.ts',
      '// If it is busy, wait.',
      '// for the reason see (docs)',
      '// return value: ms',
      'call(); // a;',
    ),
  ],
};

/** `skip` calls that stop a test for good, or without saying why. */
const silentSkip =
  /\.(?:only|todo)\s*\(|\.(?:only|todo)\.|\b(?:test|it|describe|suite)\.skip\s*\(|\.skip\s*\(\s*\)/;
const conditionalSkip = /\b(?:test|it|describe|suite)\.(?:skipIf|runIf)\s*\(/;

export const skipsSayWhy: TidyCheck = {
  rule: 'skips no test without a reason and focuses none',
  run: (files) =>
    files
      .filter(({ path }) => isTest(path) && isCode(path))
      .flatMap((source) => [
        ...findInCode(
          source,
          silentSkip,
          (match) => `uses ${match[0].trim()}: use context.skip(condition, reason)`,
        ),
        ...findInCode(
          source,
          conditionalSkip,
          'hides the reason: use context.skip(condition, reason)',
        ).filter(({ line }) => !reasonNear(source, line)),
      ]),
  bad: [
    [file('test/a.test.ts', "test.only('a', f);")],
    [file('test/a.test.ts', "describe.skip('a', f);")],
    [file('test/a.test.ts', "test.todo('a');")],
    [file('test/a.test.ts', "test('a', (context) => context.skip());")],
    [file('src/base/a.test.ts', "test.skipIf(slow)('a', f);")],
  ],
  good: [
    file('test/a.test.ts', "test('a', (context) => context.skip(slow, 'too slow here'));", "say('.only(');"),
    file('test/b.test.ts', '// Skipped: needs two network cards.', "test.skipIf(nics < 2)('a', f);"),
  ],
};

function reasonNear(source: SourceFile, line: number): boolean {
  return source.text
    .split('\n')
    .slice(Math.max(0, line - 2), line)
    .some((text) => /\/\/ Skipped: \w/.test(text));
}
