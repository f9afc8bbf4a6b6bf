/** Size, names and first lines of files. */
import { findInCode, file, isCode, isProduct } from './source-tree.ts';
import type { SourceFile, TidyCheck } from './source-tree.ts';

const linesMax = 500;
const linesWorthALook = 300;
/** Files that may be longer, each with its reason. */
const longFiles: ReadonlyMap<string, string> = new Map();

const lineCount = (source: SourceFile): number => source.text.replace(/\n$/, '').split('\n').length;

/** Not wrong, but the next ones to split: `path (lines)`. */
export function filesWorthALook(files: readonly SourceFile[]): string[] {
  return files
    .filter((source) => isCode(source.path) && lineCount(source) > linesWorthALook)
    .map((source) => `${source.path} (${lineCount(source)})`);
}

export const filesAreShort: TidyCheck = {
  rule: `keeps every file within ${linesMax} lines`,
  run: (files) =>
    files
      .filter(
        (source) =>
          (isCode(source.path) || /\.(?:css|html|sh)$/.test(source.path)) && !longFiles.has(source.path),
      )
      .filter((source) => lineCount(source) > linesMax)
      .map((source) => ({
        path: source.path,
        line: linesMax + 1,
        problem: `has ${lineCount(source)} lines; ${linesMax} is the limit`,
      })),
  bad: [[file('src/base/long.ts', ...Array.from({ length: linesMax + 1 }, () => '// .'))]],
  good: [file('src/base/long.ts', ...Array.from({ length: linesMax }, () => '// .'))],
};

const emptyWords = /^(?:utils?|helpers?|managers?|common|misc)$/;

export const namesSaySomething: TidyCheck = {
  rule: 'gives files kebab-case names that say something',
  run: (files) =>
    files
      .filter(({ path }) => /\.(?:ts|mjs)$/.test(path))
      .flatMap(({ path }) => {
        const parts = path.split('/');
        const stems = parts.map((part) => part.split('.')[0] ?? '');
        const empty = stems.flatMap((stem) => stem.split('-')).find((word) => emptyWords.test(word));
        if (empty !== undefined)
          return [{ path, line: 1, problem: `"${empty}" in a file name says nothing` }];
        const odd = stems.find((stem) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem));
        return odd === undefined ? [] : [{ path, line: 1, problem: `"${odd}" is not kebab-case` }];
      }),
  bad: [
    [file('src/base/utils.ts')],
    [file('src/gateway/handler-helpers.ts')],
    [file('src/helper/sse.ts')],
    [file('src/base/RingBuffer.ts')],
    [file('test/snake_case.test.ts')],
  ],
  good: [file('src/base/ring-buffer.test.ts'), file('vitest.config.ts'), file('src/engines/kinds/sglang.ts')],
};

const docComment = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//;

export const filesSayWhatTheyOwn: TidyCheck = {
  rule: 'starts every source file with a doc comment of 1 to 6 lines',
  run: (files) =>
    files
      .filter(({ path }) => isProduct(path))
      .flatMap(({ path, text }) => {
        const prose = docComment
          .exec(text)?.[1]
          ?.replace(/^\s*\*/gm, '')
          .trim();
        if (prose === undefined) return [{ path, line: 1, problem: 'does not start with a doc comment' }];
        if (!/[.;:)?]$/.test(prose) || prose.length < 20) {
          return [{ path, line: 1, problem: 'has a first doc comment that is no sentence' }];
        }
        if (prose.split('\n').length > 6)
          return [{ path, line: 1, problem: 'has a first doc comment longer than 6 lines' }];
        return [];
      }),
  bad: [
    [file('src/base/clock.ts', "import { a } from './a.ts';", '/** Late. */')],
    [file('src/base/clock.ts', '// Time, seen through one interface.')],
    [file('src/base/clock.ts', '/** Clock */')],
    [
      file(
        'src/base/clock.ts',
        '/**',
        ...Array.from({ length: 7 }, () => ' * A line of this long story.'),
        ' */',
      ),
    ],
  ],
  good: [
    file('src/base/clock.ts', '/** Time, seen through one interface. */'),
    file('src/main.ts', '#!/usr/bin/env node', '/**', ' * Arguments, environment and signals.', ' */'),
    file('src/base/clock.test.ts', 'test();'),
  ],
};

export const noDefaultExports: TidyCheck = {
  rule: 'has no default exports in src/',
  run: (files) =>
    files
      .filter(({ path }) => isProduct(path))
      .flatMap((source) => findInCode(source, /\bexport\s+default\b|\bas\s+default\b/, 'exports a default')),
  bad: [
    [file('src/base/a.ts', 'export default function a() {}')],
    [file('src/base/a.ts', 'const a = 1;', 'export { a as default };')],
  ],
  good: [file('src/base/a.ts', '// export default', 'export const text = "export default";')],
};
