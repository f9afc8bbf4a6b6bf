/** Whether this Node is new enough, by the same measure as the package. */
import manifest from '../../../package.json' with { type: 'json' };
import { fault, good, type Finding } from './finding.ts';

/** `nodeVersion`: without the leading `v`. */
export function checkNode(nodeVersion: string): Finding {
  const needed = manifest.engines.node.replace(/^>=/, '');
  const [own = [], least = []] = [nodeVersion, needed].map((text) => text.split('.').map(Number));
  const [ownMajor = 0, ownMinor = 0] = own;
  const [leastMajor = 0, leastMinor = 0] = least;
  const isOld = ownMajor < leastMajor || (ownMajor === leastMajor && ownMinor < leastMinor);
  if (!isOld) return good('Node', nodeVersion);
  return fault('Node', {
    level: 'error',
    saw: `${nodeVersion} is too old`,
    change: `install Node ${needed} or newer`,
  });
}
