/** Gives findings their place in the file and puts them in its order. The only place where values get into messages. */
import type { ConfigPath, ConfigProblem, Finding } from './problems.ts';
import { formatPath } from './problems.ts';
import { shownPath } from './schema-node.ts';
import { locate } from './tree.ts';
import { describeValue } from './tree-values.ts';
import type { SourceTree } from './merge-sources.ts';

export interface ReportOptions {
  /** Addresses of the command line: what is wrong with `listen` is then not in the file. */
  readonly listen?: readonly string[];
  /** Files of the command line, the same. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A longer list helps nobody, and each entry costs a search for the right hint. */
const problemsMax = 100;

/** In the order of the file; a long list ends with the count of what is left out. */
export function reportFindings(
  tree: SourceTree,
  findings: readonly Finding[],
  options: ReportOptions,
): ConfigProblem[] {
  const placed = findings
    .map((finding) => ({ finding, offset: finding.offset ?? offsetOf(tree, finding) }))
    .sort((a, b) => a.offset - b.offset);
  const problems = placed
    .slice(0, problemsMax)
    .map(({ finding, offset }) => render(tree, finding, offset, options));
  const next = placed[problemsMax];
  if (next !== undefined) {
    const message = `${placed.length - problemsMax} more problems`;
    const finding: Finding = { path: [], message, code: next.finding.code };
    problems.push(render(tree, finding, next.offset, options));
  }
  return problems;
}

function offsetOf(tree: SourceTree, { path, onKey }: Finding): number {
  const { keyOffset, valueOffset } = locate(tree.root, writtenPath(tree, path));
  return onKey === true ? keyOffset : valueOffset;
}

function render(
  tree: SourceTree,
  { path, message, code, showsValue }: Finding,
  offset: number,
  { listen, tls }: ReportOptions,
): ConfigProblem {
  if (listen !== undefined && path[0] === 'listen') {
    const address = listen[Number(path[1] ?? 0)] ?? '';
    return { file: `--listen ${address}`, line: 0, column: 0, path: '', message, code };
  }
  if (tls !== undefined && path[0] === 'tls') {
    const file = path[1] === 'key' ? `--tls-key-file ${tls.key}` : `--tls-cert-file ${tls.cert}`;
    return { file, line: 0, column: 0, path: '', message, code };
  }
  const written = writtenPath(tree, path);
  const shown = showsValue === true ? describeValue(locate(tree.root, written).node, written) : '';
  const place = { ...tree.position(offset), path: formatPath(shownPath(written)) };
  return { ...place, message: message + shown, code };
}

/** A list of one may be written without the list. */
function writtenPath({ root }: SourceTree, path: ConfigPath): ConfigPath {
  if (typeof path.at(-1) !== 'number') return path;
  const list = path.slice(0, -1);
  return locate(root, list).node?.kind === 'scalar' ? list : path;
}
