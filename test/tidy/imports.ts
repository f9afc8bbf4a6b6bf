/** Who imports whom: the layer rule and the rule against cycles. */
import { posix } from 'node:path';
import { codeOnly } from './code-only.ts';
import { file, isCode, isProduct } from './source-tree.ts';
import type { Finding, SourceFile, TidyCheck } from './source-tree.ts';

/** Lower may not import higher; folders of one rank are siblings and do not know each other. */
const ranks: Readonly<Record<string, number>> = {
  base: 0,
  domain: 1,
  scheduler: 2,
  config: 3,
  engines: 4,
  process: 4,
  store: 4,
  telemetry: 4,
  sim: 4,
  dialects: 4,
  keys: 4,
  supply: 5,
  gateway: 5,
  admin: 5,
  app: 6,
  cli: 7,
  'main.ts': 8,
};

export interface Import {
  readonly line: number;
  /** As written, for a package or built-in; from the project's root, for a file. */
  readonly target: string;
  readonly isFile: boolean;
  /** `import type` and `export type`: gone when the program runs. */
  readonly isErased: boolean;
}

/** Static, dynamic, type-only and re-exporting imports of a file. */
export function importsOf(source: SourceFile): Import[] {
  const code = codeOnly(source.text);
  // The keyword is looked up in the code, the specifier in the text: strings are blank in the code.
  const pattern = /\b(?:from|import)\s*\(?\s*(['"])/g;
  const found: Import[] = [];
  for (const match of code.matchAll(pattern)) {
    const start = match.index + match[0].length;
    const quote = match[1] ?? "'";
    const specifier = source.text.slice(start, source.text.indexOf(quote, start));
    const line = source.text.slice(0, match.index).split('\n').length;
    const isFile = specifier.startsWith('.');
    const target = isFile ? posix.join(posix.dirname(source.path), specifier) : specifier;
    const statement = code.slice(0, match.index).split(/[;'"]/).at(-1) ?? '';
    const isErased = /\b(?:import|export)\s+type\b(?!\s*,)/.test(statement);
    found.push({ line, target, isFile, isErased });
  }
  return found;
}

/** src/scheduler/queue.ts → scheduler; src/app.ts and its parts (src/app-….ts) → app; src/main.ts → main.ts. */
function layerOf(path: string): string {
  const name = path.split('/')[1] ?? '';
  return /^app(?:-[\w-]+)?\.ts$/.test(name) ? 'app' : name;
}

function layerProblem(from: string, target: string): string | undefined {
  if (target === 'package.json') return undefined;
  if (!target.startsWith('src/')) return `imports ${target}, which is outside src/`;
  if (target.endsWith('.test.ts')) return `imports the test ${target}`;
  const [own, other] = [layerOf(from), layerOf(target)];
  if (own === other) return undefined;
  const [ownRank, otherRank] = [ranks[own], ranks[other]];
  if (ownRank === undefined || otherRank === undefined) {
    return `imports across the unknown layer ${ownRank === undefined ? own : other} (see test/tidy/imports.ts)`;
  }
  if (otherRank > ownRank) return `imports upward: ${own} must not know ${other}`;
  if (otherRank === ownRank) return `imports a sibling: ${own} and ${other} must not know each other`;
  return undefined;
}

export const layersHold: TidyCheck = {
  rule: 'imports only downward, layer by layer',
  run: (files) =>
    files
      .filter(({ path }) => isProduct(path))
      .flatMap((source) => {
        const findings: Finding[] = [];
        for (const { line, target, isFile } of importsOf(source)) {
          const problem = isFile ? layerProblem(source.path, target) : testOnlyPackage(target);
          if (problem !== undefined) findings.push({ path: source.path, line, problem });
        }
        if (ranks[layerOf(source.path)] === undefined) {
          findings.push({
            path: source.path,
            line: 1,
            problem: 'lies in no known layer (see test/tidy/imports.ts)',
          });
        }
        return findings;
      }),
  bad: [
    [file('src/base/clock.ts', "import { ids } from '../domain/ids.ts';")],
    [file('src/scheduler/queue.ts', "import type { Config } from '../config/schema.ts';")],
    [file('src/store/log.ts', "export { a } from '../telemetry/log.ts';")],
    [file('src/gateway/relay.ts', "const admin = await import('../admin/api.ts');")],
    [file('src/admin/api.ts', "import { readings } from '../app-readings.ts';")],
    [file('src/admin/api.ts', 'import {', '  a,', '  b,', "} from '../app.ts';")],
    [file('src/domain/ids.ts', "import { fake } from '../../test/fake-engine/main.ts';")],
    [file('src/domain/ids.ts', "import '../base/clock.test.ts';")],
    [file('src/domain/ids.ts', "import { test } from 'vitest';")],
    [file('src/stuff/ids.ts', 'export const a = 1;')],
  ],
  good: [
    file('src/app.ts', "import { a } from './gateway/server.ts';", "import z from 'zod';"),
    file('src/app.ts', "import { readings } from './app-readings.ts';"),
    file('src/gateway/server.ts', "// from '../app.ts'", "import { a } from '../base/clock.ts';"),
    file('src/gateway/server.test.ts', "import { app } from '../app.ts';", "import { test } from 'vitest';"),
  ],
};

function testOnlyPackage(name: string): string | undefined {
  return /^(?:vitest|fast-check|openai|playwright-core|ws|node:test)$/.test(name)
    ? `imports ${name}, which is for tests only`
    : undefined;
}

export const noImportCycles: TidyCheck = {
  // Types may refer to one another; code that needs each other to start may not.
  rule: 'has no import cycles at run time',
  run(files) {
    const graph = new Map(
      files
        .filter(({ path }) => isCode(path))
        .map(
          (source) =>
            [source.path, importsOf(source).filter((item) => item.isFile && !item.isErased)] as const,
        ),
    );
    const findings: Finding[] = [];
    const done = new Set<string>();
    const trail: string[] = [];
    const visit = (path: string): void => {
      done.add(path);
      trail.push(path);
      for (const { target, line } of graph.get(path) ?? []) {
        const at = trail.indexOf(target);
        if (at >= 0) {
          const problem = `closes the cycle ${[...trail.slice(at), target].join(' → ')}`;
          findings.push({ path, line, problem });
        } else if (!done.has(target)) visit(target);
      }
      trail.pop();
    };
    for (const path of graph.keys()) if (!done.has(path)) visit(path);
    return findings;
  },
  bad: [
    [
      file('src/base/a.ts', "import { b } from './b.ts';"),
      file('src/base/b.ts', "import type { C } from './c.ts';", "import { a } from './a.ts';"),
    ],
    [file('src/base/a.ts', "import { a } from './a.ts';")],
    [
      file('test/a.ts', "import './b.ts';"),
      file('test/b.ts', "import './deep/c.ts';"),
      file('test/deep/c.ts', "export * from '../a.ts';"),
    ],
  ],
  good: [
    file('src/base/a.ts', "import './b.ts';", "import './c.ts';"),
    file('src/base/b.ts', "import './c.ts';"),
    file(
      'src/base/c.ts',
      "// import './a.ts'",
      "import type { A } from './a.ts';",
      "export type { B } from './b.ts';",
    ),
  ],
};
