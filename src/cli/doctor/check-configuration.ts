/** What loading the configuration said, as findings. */
import type { LoadResult } from '../../config/load.ts';
import { formatProblem } from '../../config/problems.ts';
import { fault, good, type Finding } from './finding.ts';

/** `source`: how the configuration is called. */
export function checkConfiguration(source: string, loaded: LoadResult): readonly Finding[] {
  const warnings = loaded.warnings.map((warning) =>
    fault(undefined, {
      level: 'warning',
      saw: formatProblem(warning),
      change: 'docs/config.md has the meaning of this key',
    }),
  );
  if (!loaded.ok) {
    const errors = loaded.problems.map((problem) =>
      fault(undefined, {
        level: 'error',
        saw: formatProblem(problem),
        change: loaded.unreadable ? 'name the file with --config' : 'docs/config.md has every key',
      }),
    );
    return [...errors, ...warnings];
  }
  const { backends, models, peers, listen } = loaded.config;
  const counts = [backends, models, peers].map((entries) => Object.keys(entries).length);
  const [backendCount, modelCount, peerCount] = counts;
  const sum = `backends: ${backendCount}, models: ${modelCount}, peers: ${peerCount}, listen: ${listen.join(', ')}`;
  return [good(undefined, `${source}: ${sum}`), ...warnings];
}
