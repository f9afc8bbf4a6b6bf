/** The metrics of several backends as one text: names as they were, each series with the label of its backend. Pure. */
import type { BackendId } from '../../domain/ids.ts';
import type { ForeignFamily, ForeignSample } from './parse-exposition.ts';

export interface BackendPage {
  readonly backend: BackendId;
  readonly families: ReadonlyMap<string, ForeignFamily>;
}

interface Merged {
  readonly type: ForeignFamily['type'];
  readonly help: string | undefined;
  readonly lines: string[];
}

/**
 * To be appended to a page that has the metrics `taken`: those of a backend with such a name are left out, and so is a
 * metric whose type is another than that of the first backend which has it.
 */
export function mergeExpositions(pages: readonly BackendPage[], taken: (name: string) => boolean): string {
  const merged = new Map<string, Merged>();
  for (const { backend, families } of pages) {
    for (const { name, type, help, samples } of families.values()) {
      if (samples.length === 0 || taken(name)) continue;
      const known = merged.get(name);
      const family = known ?? { type, help, lines: [] };
      if (known === undefined) merged.set(name, family);
      if (family.type === type) for (const sample of samples) family.lines.push(toLine(sample, backend));
    }
  }
  const blocks = Array.from(merged, ([name, { type, help, lines }]) => {
    const head = help === undefined || help === '' ? [] : [`# HELP ${name} ${help}`];
    return [...head, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
  });
  return blocks.join('\n');
}

/** A label of that name that was there before gets the prefix that Prometheus gives in such a case, as often as it takes. */
function toLine({ name, labels, value }: ForeignSample, backend: BackendId): string {
  let exported = 'exported_backend';
  while (labels.some(([label]) => label === exported)) exported = `exported_${exported}`;
  const own = labels.map(([label, text]) => `${label === 'backend' ? exported : label}="${text}"`);
  return `${name}{${[`backend="${escape(backend)}"`, ...own].join(',')}} ${value}`;
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
