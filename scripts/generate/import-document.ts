/** docs/import.md: what becomes of every key of the systems that can be imported, from the tables of the importers. */
import type { Fate, ForeignSystem } from '../../src/config/import/foreign-key.ts';
import { importableSystems } from '../../src/config/import/systems.ts';
import type { GeneratedDocument } from './document.ts';
import { generatedNote, table } from './document.ts';

const intro = `${generatedNote}

# Coming from another router

\`\`\`sh
llamero import nomyo config.yaml --env-file router.env -o llamero.yaml
llamero import llamacpp-ha config.json -o llamero.yaml
llamero import ollama-lb docker-compose.yml -o llamero.yaml
llamero check llamero.yaml
\`\`\`

\`llamero import\` prints a configuration with comments that say where each value comes from, or writes it with \`-o\`; a file
that exists is kept unless \`--force\` is given. What could not be carried as it was is listed on stderr, each key with its
line and what to use in its place. Secrets are never printed: they become variables (\`\${env.NAME}\`), listed at the end.
The preset of the same name makes Llamero choose backends by the rules of the other router ([policies](policies.md));
\`preset: default\` is what it would do by itself.

A configuration of llama-swap needs no import: it works as it is ([configuration](config.md)).

In the tables, *carried* is a key that has a place here, *by itself* one whose work is done without a key, *left behind*
one that asks for something that is not there.`;

const fateWords: Readonly<Record<Fate, string>> = {
  carried: 'carried',
  default: 'by itself',
  dropped: 'left behind',
};

export const importDocument: GeneratedDocument = {
  path: 'docs/import.md',
  render: () => `${[intro, ...importableSystems.map(describeSystem)].join('\n\n')}\n`,
};

function describeSystem({ name, title, file, keys }: ForeignSystem): string {
  const rows = keys.map((key) => [
    `\`${key.name}\``,
    fateWords[key.fate],
    key.to,
    key.remark === ''
      ? ''
      : `${key.remark.charAt(0).toUpperCase()}${key.remark.slice(1).replace(/\.$/, '')}.`,
  ]);
  const otherNames = keys.flatMap(({ name: known, spellings = [] }) =>
    spellings.length === 0
      ? []
      : [`\`${known}\` may also be written ${spellings.map((one) => `\`${one}\``).join(', ')}.`],
  );
  const head = `## ${title}\n\n\`llamero import ${name}\` reads ${file}.`;
  return [head, table(['key', 'fate', 'in Llamero', 'remark'], rows), ...otherNames].join('\n\n');
}
