/** docs/config.md: every key with its type, default and meaning, from the schema; the introduction is written here. */
import { alternatives, rootNode } from '../../src/config/schema-node.ts';
import type { SchemaNode } from '../../src/config/schema-node.ts';
import type { GeneratedDocument } from './document.ts';
import { generatedNote, table } from './document.ts';

const intro = `${generatedNote}

# Configuration

One YAML file. \`llamero serve --config FILE\` reads it; without \`--config\` it is \`llamero.yaml\` or \`config.yaml\` (or
\`.yml\`) in the current directory. Every key is optional and an empty file is a good one. \`llamero check FILE\` reports everything that is
wrong at once, with line, column and key. Editors with a YAML language server complete and
check the file when its first line names the schema (\`llamero schema\` prints it):

\`\`\`yaml
# yaml-language-server: $schema=schema/llamero.schema.json
backends:
  gpu1: { url: http://10.0.0.11:8080 }
  gpu2: { url: http://10.0.0.12:8080 }
\`\`\`

## How values are written

- **duration**: \`250ms\`, \`30s\`, \`1m30s\`, \`2h\`, \`1d\`, or a plain number of seconds. At most 24 days. Where 0 has a meaning
  of its own, the key says so.
- **size**: \`64KiB\`, \`100MiB\`, \`1GiB\` (1024), \`10MB\` (1000), or a plain number of bytes.
- **secret**: text that is never printed: messages, logs and \`/api/status\` show \`***\`. Keep it out of the file with a
  variable.
- \`\${name}\` anywhere in a value is replaced by the macro of that name (\`macros\`). A value that is nothing but a macro takes its
  type. In a model, \`\${MODEL_ID}\` is its id, \`\${PORT}\` a port of its own, and in \`cmdStop\` \`\${PID}\` its process id.
- \`\${env.NAME}\` anywhere in a value is replaced by the environment variable. The variable must be set and hold one line;
  where a number or \`true\`/\`false\` is taken, the text becomes one. It does not work in keys, and in comments it means
  nothing. A plain \`\${\` is written \`$\${\`.
- A key without a value (\`slots:\`) counts as not written.
- Anchors, aliases and merge keys (\`<<\`) work. Top-level keys that begin with \`x-\` are ignored: keep anchors there. A key
  may not occur twice. An unknown key is an error, except at the top level and in the sections that llama-swap has too, where
  one that looks like no known key is ignored with a warning. A file has at most 4 MiB and 100,000 values.

## A configuration of llama-swap

works as it is: its keys keep their names, defaults, rules and messages, and its plain numbers of time are seconds. Llamero's
own keys may stand beside them. [examples/llama-swap.yaml](../examples/llama-swap.yaml) shows each once. \`llamero\` takes the
flags of llama-swap as well, written with one dash.

What differs: \`$\${name}\` stands for a plain \`\${name}\`; a variable does not work in a key; an API key that occurs twice, a group
member that is no model, and a model in \`preload\` that does not exist are told as warnings; an alias works as a key of
\`priority\`; listening beyond this machine without \`apiKeys\` has to be asked for (\`allowUnauthenticated\`).

## Several files

\`--config-dir DIR\` reads every \`.yaml\` and \`.yml\` file in a folder in the order of their names, after the file of
\`--config\`, which must not be in it. Maps are joined, lists put one after the other. The same model, backend, peer, group,
profile or selector in two files is an error, and so are two different values for one key; an empty value yields. A macro
works in every file, an anchor in its own.

## Reload

SIGHUP reads the file again, \`serve --watch\` does so whenever it changed. Only what differs is touched: a backend whose
entry is the same keeps its connections, its streams and what is known of it. A file with an error changes nothing; the
running configuration stays, and the log and \`/api/status\` say why. A model whose definition comes to the same keeps its process,
its port and its streams. Ports for \`\${PORT}\` are counted up from \`startPort\` by sorted model id at the start; at a reload a
model keeps the one it has, others get the lowest free ones, and only a new \`startPort\` moves all. Keys marked *restart* keep their old value until then.`;

/** Top-level keys without keys of their own share one table. */
const generalTitle = 'General';

export const configDocument: GeneratedDocument = {
  path: 'docs/config.md',
  render: () => {
    const topLevel = Object.entries(rootNode.properties ?? {});
    const general = topLevel.filter(([, node]) => !isSection(node));
    const sections = topLevel.filter(([, node]) => isSection(node));
    const parts = [
      intro,
      `## ${generalTitle}\n\n${keyTable(general.flatMap(([key, node]) => keyRows(key, node)))}`,
      ...sections.map(([key, node]) => sectionText(key, node)),
    ];
    return `${parts.join('\n\n')}\n`;
  },
};

function isSection(node: SchemaNode): boolean {
  return node.type === 'object';
}

function sectionText(key: string, node: SchemaNode): string {
  return `## ${key}\n\n${node.description}\n\n${keyTable(keyRows(key, node).slice(1))}`;
}

function keyTable(rows: readonly (readonly string[])[]): string {
  return table(['key', 'type', 'default', 'meaning'], rows);
}

/** The key itself and every key below it. */
function keyRows(path: string, node: SchemaNode, required = false): string[][] {
  const { description = '', restart } = node;
  const meaning = restart === true ? `${description} *restart*` : description;
  const rows = [[`\`${path}\``, typeText(node), defaultText(node, required), meaning]];
  for (const form of alternatives(node)) {
    const { properties = {}, required: needed = [], additionalProperties, items } = form;
    for (const [key, child] of Object.entries(properties)) {
      rows.push(...keyRows(`${path}.${key}`, child, needed.includes(key)));
    }
    if (typeof additionalProperties === 'object' && additionalProperties.type === 'object') {
      rows.push(...keyRows(`${path}.<name>`, additionalProperties).slice(1));
    }
    if (items !== undefined) rows.push(...keyRows(`${path}[]`, items).slice(1));
  }
  return rows;
}

function typeText(node: SchemaNode): string {
  if (node.unit !== undefined) return node.unit;
  if (node.enum !== undefined) return node.enum.map((word) => `\`${word}\``).join(', ');
  if (node.anyOf !== undefined) return node.anyOf.map(typeText).join(' or ');
  switch (node.type) {
    case 'array':
      return `list of ${node.items === undefined ? 'values' : typeText(node.items)}`;
    case 'object':
      return typeof node.additionalProperties === 'object'
        ? `map of name to ${typeText(node.additionalProperties)}`
        : 'map';
    case 'integer':
      return `whole number${boundsText(node)}`;
    case 'number':
      return `number${boundsText(node)}`;
    case 'boolean':
      return '`true` or `false`';
    case 'string':
    case undefined:
      return 'text';
    default:
      return node.type satisfies never;
  }
}

function boundsText({ minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  const bounds: string[] = [];
  if (exclusiveMinimum !== undefined) bounds.push(`> ${exclusiveMinimum}`);
  if (minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER) bounds.push(`≥ ${minimum}`);
  if (maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER) bounds.push(`≤ ${maximum}`);
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

function defaultText(node: SchemaNode, required: boolean): string {
  const { default: byDefault } = node;
  if (required) return 'required';
  if (byDefault === undefined || node.type === 'object') return '';
  if (!Array.isArray(byDefault))
    return `\`${typeof byDefault === 'string' ? byDefault : JSON.stringify(byDefault)}\``;
  return byDefault.length === 0 ? 'none' : byDefault.map((item) => `\`${item}\``).join(', ');
}
