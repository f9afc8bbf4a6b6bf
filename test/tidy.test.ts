/** The rules of the house that a machine can check. Every check must also notice its own bad samples. */
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  noAny,
  noCommentedOutCode,
  nothingLeftOver,
  onlyMainTouchesTheProcess,
  schedulerIsPure,
  skipsSayWhy,
} from './tidy/banned-code.ts';
import { dependenciesAreExplained, linksLead, noMachinePaths, noRegistryHosts } from './tidy/house.ts';
import { layersHold, noImportCycles } from './tidy/imports.ts';
import {
  filesAreShort,
  filesSayWhatTheyOwn,
  filesWorthALook,
  namesSaySomething,
  noDefaultExports,
} from './tidy/shape.ts';
import { readSourceTree } from './tidy/source-tree.ts';

const checks = [
  layersHold,
  noImportCycles,
  filesAreShort,
  namesSaySomething,
  filesSayWhatTheyOwn,
  noDefaultExports,
  onlyMainTouchesTheProcess,
  schedulerIsPure,
  noAny,
  nothingLeftOver,
  noCommentedOutCode,
  skipsSayWhy,
  noMachinePaths,
  noRegistryHosts,
  linksLead,
  dependenciesAreExplained,
];

const project = readSourceTree(resolve(import.meta.dirname, '..'));

test('the tidy checks see the project', () => {
  const paths = project.map(({ path }) => path);
  expect(paths).toContain('src/domain/errors.ts');
  expect(paths).toContain('docs/dependencies.md');
  expect(paths).toContain('.ci/run');
  expect(paths.some((path) => path.startsWith('node_modules/'))).toBe(false);
});

describe.each(checks)('the project $rule', (check) => {
  test('holds', () => {
    const findings = check.run(project).map(({ path, line, problem }) => `${path}:${line} ${problem}`);
    expect(findings).toEqual([]);
  });

  test.each(check.bad.map((sample, index) => ({ sample, index })))(
    'notices bad sample $index',
    ({ sample }) => {
      expect(check.run(sample)).not.toEqual([]);
    },
  );

  test('leaves good code alone', () => {
    expect(check.run(check.good)).toEqual([]);
  });
});

const worthALook = filesWorthALook(project);
if (worthALook.length > 0) console.info(`Worth splitting next (over 300 lines): ${worthALook.join(', ')}`);

test('filesWorthALook names a file of more than 300 lines', () => {
  const long = { path: 'src/base/long.ts', text: '//\n'.repeat(301) };
  const short = { path: 'src/base/short.ts', text: '//\n'.repeat(300) };
  expect(filesWorthALook([long, short])).toEqual(['src/base/long.ts (301)']);
});
