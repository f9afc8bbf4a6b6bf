/** Rules over more than code: documents, dependencies, and traces of the machine a file was written on. */
import { posix } from 'node:path';
import { file, findLines } from './source-tree.ts';
import type { Finding, SourceFile, TidyCheck } from './source-tree.ts';

// Put together, so that no search for such a path ends here.
const [work, root] = ['work', 'root'].map((folder) => `/${folder}`);

export const noMachinePaths: TidyCheck = {
  rule: 'names no path of one machine',
  run: (files) =>
    files
      .filter(({ path }) => !path.startsWith('test/tidy/'))
      .flatMap((source) =>
        findLines(
          source,
          /(?<![\w.})$\]/-])\/(?:work|root|tmp|home|Users)(?:\/[\w$%{]|(?=['"`\s]|$))/,
          (match) => `names the machine's own path ${match[0]}`,
        ),
      ),
  bad: [
    [file('src/base/a.ts', `const a = '${work}/main';`)],
    [file('scripts/a.sh', `cd ${root}`)],
    [file('docs/a.md', 'see /tmp/out.log')],
    [file('README.md', 'in `/home/me/llamero`')],
  ],
  good: [
    file('src/base/a.ts', `fetch(\`\${url}${work}/x\`);`, "join(tmpdir(), 'a');", "'/var/tmp/x'"),
    file('docs/a.md', `/models/tmp, ~${root}, a${work}/b`),
  ],
};

// Put together here so that this file does not find itself.
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['deb', 'debian', 'org'],
  ['snapshot', 'debian', 'org'],
  ['pypi', 'org'],
  ['ghcr', 'io'],
  ['docker', 'io'],
].map((labels) => labels.join('.'));

export const noRegistryHosts: TidyCheck = {
  rule: 'names no package registry or mirror',
  run: (files) =>
    files.flatMap((source) =>
      hosts.flatMap((host) =>
        findLines(source, new RegExp(host.replaceAll('.', '\\.')), `names the registry ${host}`),
      ),
    ),
  bad: hosts.map((host) => [file('package-lock.json', `  "resolved": "https://${host}/zod.tgz"`)]),
  good: [file('package-lock.json', '"url": "https://example.org"')],
};

const markdownLinks = /(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)|!\[[^\]]*\]\(([^)\s]+)\)/g;

export const linksLead: TidyCheck = {
  rule: 'has no dead link in its documents',
  run(files) {
    const documents = new Map(files.map((source) => [source.path, source]));
    const folders = new Set(files.flatMap(({ path }) => ancestors(path)));
    return files
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap((source) => {
        const findings: Finding[] = [];
        proseOf(source.text).forEach((text, index) => {
          for (const match of text.matchAll(markdownLinks)) {
            const problem = linkProblem(source, match[1] ?? match[2] ?? '', { documents, folders });
            if (problem !== undefined) findings.push({ path: source.path, line: index + 1, problem });
          }
        });
        return findings;
      });
  },
  bad: [
    [file('README.md', 'see [this](docs/none.md)')],
    [file('docs/a.md', '[up](../NONE.md)')],
    [file('docs/a.md', '# Alpha', '[down](#beta)')],
    [file('docs/a.md', '[b](b.md#gamma)'), file('docs/b.md', '# Beta')],
    [file('README.md', '![picture](docs/none.svg)')],
  ],
  good: [
    file('README.md', '[a](docs/a.md)', '[web](https://example.org/x)', '`[no](link.md)`', '[folder](docs)'),
    file('docs/a.md', '## A `b` (c)', '[b](#a-b-c)', '```', '[x](y.md)', '```', '[back](../README.md)'),
  ],
};

interface Known {
  readonly documents: ReadonlyMap<string, SourceFile>;
  readonly folders: ReadonlySet<string>;
}

function linkProblem(source: SourceFile, link: string, known: Known): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [target = '', anchor] = link.split('#');
  const path =
    target === '' ? source.path : posix.join(posix.dirname(source.path), target).replace(/\/$/, '');
  const document = known.documents.get(path);
  // Pictures and other files that are not text are not in the tree; a link to one needs its folder at least.
  const isText = /\.(?:md|ts|json|ya?ml|sh)$/.test(path);
  if (
    document === undefined &&
    !known.folders.has(path) &&
    (isText || !known.folders.has(posix.dirname(path)))
  ) {
    return `links to ${link}, which does not exist`;
  }
  if (anchor === undefined || document === undefined || !path.endsWith('.md')) return undefined;
  return headingsOf(document.text).has(anchor) ? undefined : `links to ${link}, but there is no such heading`;
}

function ancestors(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/** Lines with code blocks and code spans blanked. */
function proseOf(text: string): string[] {
  let fenced = false;
  return text.split('\n').map((line) => {
    if (/^\s*(?:```|~~~)/.test(line)) {
      fenced = !fenced;
      return '';
    }
    return fenced ? '' : line.replace(/`[^`]*`/g, '');
  });
}

function headingsOf(text: string): Set<string> {
  const headings = text.split('\n').flatMap((line) => /^#{1,6}\s+(.*?)\s*$/.exec(line)?.[1] ?? []);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}

export const dependenciesAreExplained: TidyCheck = {
  rule: 'explains every dependency in docs/dependencies.md, and no other',
  run(files) {
    const manifest = files.find(({ path }) => path === 'package.json');
    const page = files.find(({ path }) => path === 'docs/dependencies.md');
    if (manifest === undefined || page === undefined) {
      return [{ path: 'docs/dependencies.md', line: 1, problem: 'or package.json is missing' }];
    }
    const parsed = JSON.parse(manifest.text) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    const wanted = new Set([
      ...Object.keys(parsed.dependencies ?? {}),
      ...Object.keys(parsed.devDependencies ?? {}),
    ]);
    const rows = page.text.split('\n').flatMap((line, index) => {
      const match = /^\|\s*`([^`]+)`\s*\|(.*)\|\s*$/.exec(line);
      return match === null ? [] : [{ name: match[1] ?? '', reason: match[2] ?? '', line: index + 1 }];
    });
    const explained = new Set(rows.filter(({ reason }) => /\w.*\w/.test(reason)).map(({ name }) => name));
    return [
      ...[...wanted]
        .filter((name) => !explained.has(name))
        .map((name) => ({ path: page.path, line: 1, problem: `gives no reason for ${name}` })),
      ...rows
        .filter(({ name }) => !wanted.has(name))
        .map(({ name, line }) => ({
          path: page.path,
          line,
          problem: `names ${name}, which is not in package.json`,
        })),
    ];
  },
  bad: [
    [file('package.json', '{"dependencies":{"zod":"4"}}'), file('docs/dependencies.md', '# None')],
    [file('package.json', '{"devDependencies":{"zod":"4"}}'), file('docs/dependencies.md', '| `zod` | |')],
    [file('package.json', '{"dependencies":{}}'), file('docs/dependencies.md', '| `left` | Pads. |')],
    [file('package.json', '{"dependencies":{}}')],
  ],
  good: [
    file('package.json', '{"dependencies":{"zod":"4"},"devDependencies":{"ws":"8"}}'),
    file('docs/dependencies.md', '| `zod` | Checks shapes. |', '| `ws` | Tests upgrades. |'),
  ],
};
