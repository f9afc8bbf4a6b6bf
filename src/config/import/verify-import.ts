/** The proof of an import: what it made is loaded by the real loader, with variables that it says are to be set. */
import { loadConfigText } from '../load.ts';
import type { LoadResult } from '../load.ts';
import type { ImportVariable } from './draft.ts';

/** Not ok = a fault of the importer, whatever the foreign file says. */
export function loadImported(imported: {
  readonly yaml: string;
  readonly variables: readonly ImportVariable[];
}): LoadResult {
  // Good as a key and as the address of a store, which are all that variables stand for.
  const env = Object.fromEntries(
    imported.variables.map(({ name }, index) => [name, `redis://value-${index}`]),
  );
  return loadConfigText({ file: 'the imported configuration', text: imported.yaml, env });
}
