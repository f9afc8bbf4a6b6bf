/** docs/metrics.md from the metric table and the outcomes. */
import type { Outcome } from '../../src/domain/outcome.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import type { MetricEntry } from '../../src/telemetry/metric-table.ts';
import { modelLabelsMax } from '../../src/telemetry/request-metrics.ts';
import type { GeneratedDocument } from './document.ts';
import { generatedNote, table } from './document.ts';

const outcomeMeanings: Readonly<Record<Outcome, string>> = {
  completed: 'Answered to the end with a status below 400.',
  passed_through_error: "The engine's own 4xx or 5xx was passed on.",
  rejected_full: 'Refused: the queue was full.',
  rejected_unauthorized: 'Refused: no key, or a wrong one.',
  rejected_other: 'Refused before it waited: malformed, too large, unknown model, router draining.',
  evicted_timeout: 'Waited for a slot or a live backend longer than the configuration allows.',
  cancelled_queued: 'The client left, or an operator cancelled it, while it waited.',
  cancelled_waiting: 'The same after a slot was granted and before the first byte.',
  cancelled_streaming: 'The same in the middle of the answer.',
  failed_before_first_byte: 'Every backend that was tried failed, and the client got an error.',
  failed_midstream: 'The backend broke off in the middle of the answer.',
  internal: 'A fault of the router itself.',
};

const intro = `${generatedNote}

# Metrics

\`GET /metrics\` answers in the Prometheus text format. It needs a key when \`apiKeys\` are configured.

The number of series is bounded: a model name becomes a label once a backend lists it or has answered for it (\`unknown\`
until then, \`other\` beyond ${modelLabelsMax} names, \`none\` for requests without a model). \`backend\` is \`none\` for requests that never
got a slot.

With \`telemetry.metrics.backends: true\` the backends' own metrics follow those of the table, names kept, each series with the
label \`backend\` (one that was there before becomes \`exported_backend\`). Backends are asked at the same time and get 1.5
seconds and 4 MiB; a page that is not right is left out as a whole, and so is what begins with \`llamero_\`: a router among
the peers is better asked itself. llama-server has the page with \`--metrics\` only.

Alerts and a dashboard: [alerts.md](alerts.md). Single requests: [tracing.md](tracing.md).`;

export const metricsDocument: GeneratedDocument = {
  path: 'docs/metrics.md',
  render: () => {
    const entries = Object.entries<MetricEntry>(metricTable);
    const metrics = entries.map(([name, { kind, labels, help }]) => [
      `\`${name}\``,
      kind,
      labels.map((label) => `\`${label}\``).join(', ') || '–',
      help,
    ]);
    const outcomes = Object.entries(outcomeMeanings).map(([name, meaning]) => [`\`${name}\``, meaning]);
    const buckets = entries.flatMap(([name, entry]) =>
      entry.buckets === undefined ? [] : [[`\`${name}\``, entry.buckets.join(', ')]],
    );
    return `${[
      intro,
      table(['metric', 'kind', 'labels', 'meaning'], metrics),
      '## Outcomes',
      table(['outcome', 'meaning'], outcomes),
      '## Buckets',
      'Upper bounds, in the unit that the name ends with.',
      table(['histogram', 'buckets'], buckets),
    ].join('\n\n')}\n`;
  },
};
