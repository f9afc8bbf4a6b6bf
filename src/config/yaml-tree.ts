/** From YAML text to a tree that knows where everything stands. Owns syntax and its messages; knows nothing of the schema. */
import { Lexer, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { hidePlaceholders, withoutMarks } from './placeholders.ts';
import type { Environment } from './placeholders.ts';
import { buildTree } from './tree-builder.ts';
import type { TreeNode, TreeProblem } from './tree.ts';
import { describeYamlError } from './yaml-syntax.ts';

export interface YamlTree {
  /** Undefined for an empty file, and when the text is not YAML. */
  readonly root: TreeNode | undefined;
  /** In no particular order. */
  readonly problems: readonly TreeProblem[];
  /** 1-based line and column of an offset. */
  position(offset: number): { line: number; column: number };
}

export const textBytesMax = 4 * 1024 * 1024;
/** Marks, values and line ends. The parser takes milliseconds per thousand of them, and far more when they nest. */
const tokensMax = 400_000;
const flowDepthMax = 100;
const syntaxProblemsMax = 10;

/** Reads the text. `base` is where its offsets begin, so that those of several files differ. Never throws. */
export function parseYamlTree(text: string, env: Environment, base = 0): YamlTree {
  return parse(text, { hide: hidePlaceholders, env, base });
}

/** The same for YAML of others: `${…}` is text like any other. Never throws. */
export function parseForeignYaml(text: string): YamlTree {
  return parse(text, { hide: withoutMarks, env: {}, base: 0 });
}

interface ParseOptions {
  /** Must not change the length in characters. */
  readonly hide: (text: string) => string;
  readonly env: Environment;
  readonly base: number;
}

function parse(text: string, { hide, env, base }: ParseOptions): YamlTree {
  if (Buffer.byteLength(text) > textBytesMax) {
    return failed({ path: [], offset: base, message: 'must be at most 4MiB', code: 'config_invalid' });
  }
  const hidden = hide(text);
  const excess = findExcess(hidden);
  if (excess !== undefined) {
    return failed({ path: [], offset: base, message: excess, code: 'config_invalid' });
  }
  const lines = new LineCounter();
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset - base);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  let document: Document.Parsed;
  try {
    document = parseDocument(hidden, {
      lineCounter: lines,
      prettyErrors: false,
      // Compares every key with every other; the tree builder does it with a map.
      uniqueKeys: false,
    });
  } catch {
    return failed({ path: [], offset: base, message: 'not readable as YAML', code: 'config_syntax' });
  }
  const syntax = syntaxProblems(document, (offset) => position(offset + base)).map((problem) => ({
    ...problem,
    offset: problem.offset + base,
  }));
  if (syntax.length > 0) return { root: undefined, problems: syntax, position };
  return { ...buildTree(document.contents, env, base), position };
}

/** What would keep the parser busy for longer than a start may take; the lexer alone is fast on any text. */
function findExcess(text: string): string | undefined {
  let tokens = 0;
  let flowDepth = 0;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (token === '[' || token === '{') flowDepth += 1;
    else if (token === ']' || token === '}') flowDepth -= 1;
    if (flowDepth > flowDepthMax) return 'nested too deeply';
    if (tokens > tokensMax) return 'too long to be a configuration';
  }
  return undefined;
}

function failed(problem: TreeProblem): YamlTree {
  return { root: undefined, problems: [problem], position: () => ({ line: 1, column: 1 }) };
}

/** The first problem of each line: what follows on the same line is nearly always its consequence. */
function syntaxProblems(document: Document.Parsed, position: YamlTree['position']): TreeProblem[] {
  const byLine = new Map<number, TreeProblem>();
  const found = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  for (const error of found) {
    const offset = error.pos[0];
    const { line } = position(offset);
    if (byLine.has(line) || byLine.size >= syntaxProblemsMax) continue;
    byLine.set(line, { path: [], offset, message: describeYamlError(error), code: 'config_syntax' });
  }
  return [...byLine.values()];
}
