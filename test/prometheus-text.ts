/** A strict reader of Prometheus' text format 0.0.4, for tests: whatever is not exactly right is an error. */

export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: MetricSample[];
}

export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** @throws Error with the offending line. */
export function parsePrometheusText(text: string): Map<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('The text does not end with a line end');
  const families = new Map<string, MetricFamily>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let current: { name: string; family: MetricFamily } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const helpMatch = /^# HELP ([a-z_]+) (\S.*)$/.exec(line);
    const typeMatch = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (helpMatch !== null) help = { name: helpMatch[1] ?? '', text: helpMatch[2] ?? '' };
    else if (typeMatch !== null) {
      const name = typeMatch[1] ?? '';
      if (help?.name !== name) throw new Error(`TYPE without its HELP: ${line}`);
      if (families.has(name)) throw new Error(`Twice: ${line}`);
      current = { name, family: { type: typeMatch[2] ?? '', help: help.text, samples: [] } };
      families.set(name, current.family);
    } else {
      const sample = parseSample(line);
      const suffix = current?.family.type === 'histogram' ? '(_bucket|_sum|_count)' : '';
      if (current === undefined || !new RegExp(`^${current.name}${suffix}$`).test(sample.name)) {
        throw new Error(`Not of the metric above it: ${line}`);
      }
      const key = sample.name + labelKey(sample.labels);
      if (seen.has(key)) throw new Error(`The same series twice: ${line}`);
      seen.add(key);
      current.family.samples.push(sample);
    }
  }
  return families;
}

/** The value of the one series with exactly these labels; undefined when there is none. */
export function valueOf(
  families: ReadonlyMap<string, MetricFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name.replace(/_(?:bucket|sum|count)$/, '')) ?? families.get(name);
  const wanted = labelKey(labels);
  return family?.samples.find((sample) => sample.name === name && labelKey(sample.labels) === wanted)?.value;
}

function labelKey(labels: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels).sort((left, right) => (left < right ? -1 : 1));
  return JSON.stringify(names.map((name) => [name, labels[name]]));
}

function parseSample(line: string): MetricSample {
  const match = /^([a-z_]+)(?:\{(.+)\})? (\S+)$/.exec(line);
  if (match === null) throw new Error(`Neither comment nor sample: ${line}`);
  const [, name = '', labelText = '', valueText = ''] = match;
  const value = valueText === '+Inf' ? Infinity : Number(valueText);
  if (Number.isNaN(value)) throw new Error(`Not a number: ${line}`);
  return { name, labels: parseLabels(labelText, line), value };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const pattern = /([a-z_]+)="((?:[^"\\]|\\[\\n"])*)"(,|$)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    const [, name = '', escaped = '', separator] = match ?? [];
    if (match === null || name in labels || (separator === ',' && pattern.lastIndex === text.length)) {
      throw new Error(`Bad labels: ${line}`);
    }
    labels[name] = escaped.replaceAll(/\\([\\n"])/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
  }
  return labels;
}
