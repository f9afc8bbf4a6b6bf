/** What the log of a router tells of its model processes. */

type LogLines = readonly Readonly<Record<string, unknown>>[];

/** Names of the models that were loaded, once for each time that a load was begun. */
export function loadsIn(lines: LogLines): string[] {
  return lines.filter(({ msg }) => msg === 'Model is loading').map(({ model }) => String(model));
}

/** Pids of the processes of a model (default: of all models) that became ready, in order. */
export function pidsIn(lines: LogLines, model?: string): number[] {
  return lines
    .filter((line) => line['msg'] === 'Model is loaded' && (model === undefined || line['model'] === model))
    .map(({ pid }) => Number(pid));
}
