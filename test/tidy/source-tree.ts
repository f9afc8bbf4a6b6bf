/** The project's own text files as the tidy checks see them, and the shape every check has. */
import { readdirSync, readFileSync } from 'node:fs';
import { codeOnly } from './code-only.ts';

export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** What is wrong, in which line (from 1). */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

export interface TidyCheck {
  /** Completes "the project …" in the test's name. */
  readonly rule: string;
  run(files: readonly SourceFile[]): Finding[];
  /** Each entry is a small project that breaks the rule, and must be noticed. */
  readonly bad: readonly (readonly SourceFile[])[];
  /** A small project that looks similar and is fine. */
  readonly good: readonly SourceFile[];
}

const ignoredFolders = new Set(['node_modules', 'dist', 'coverage', '.git', '.cache', 'results']);
const textFile = /(?:\.(?:ts|js|mjs|json|ya?ml|md|sh|css|html|cfg|conf)|^\.ci\/run|^LICENSE)$/;

/** Known by name only, so that documents can show them. */
const picture = /\.(?:png|svg|jpg)$/;

/** Reads every text file of the project; generated and fetched folders are left out. */
export function readSourceTree(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (folder: string): void => {
    const entries = readdirSync(`${root}/${folder}`, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !ignoredFolders.has(entry.name)) visit(path);
      if (entry.isFile() && textFile.test(path)) {
        files.push({ path, text: readFileSync(`${root}/${path}`, 'utf8') });
      } else if (entry.isFile() && picture.test(path)) files.push({ path, text: '' });
    }
  };
  visit('');
  return files;
}

export function file(path: string, ...lines: string[]): SourceFile {
  return { path, text: lines.join('\n') + '\n' };
}

export const isCode = (path: string): boolean => /\.(?:ts|js|mjs)$/.test(path);
export const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('test/');
/** A file that ships: under src/ and no test. */
export const isProduct = (path: string): boolean => path.startsWith('src/') && isCode(path) && !isTest(path);

/** One finding per line that matches; `problem` may name what was matched. */
export function findLines(
  source: SourceFile,
  pattern: RegExp,
  problem: string | ((match: RegExpMatchArray) => string),
): Finding[] {
  return source.text.split('\n').flatMap((text, index) => {
    const match = text.match(pattern);
    if (match === null) return [];
    const said = typeof problem === 'string' ? problem : problem(match);
    return [{ path: source.path, line: index + 1, problem: said }];
  });
}

/** As findLines, but blind to comments, strings and regular expressions. */
export function findInCode(
  source: SourceFile,
  pattern: RegExp,
  problem: string | ((match: RegExpMatchArray) => string),
): Finding[] {
  return findLines({ path: source.path, text: codeOnly(source.text) }, pattern, problem);
}
