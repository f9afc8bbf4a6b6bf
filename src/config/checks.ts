/** Rules that span several keys or need more than the schema knows. Pure; findings get their positions from load.ts. */
import { addressesCollide, isLoopback, listenForm, tryParseListenAddress } from './listen-address.ts';
import type { ListenAddress } from './listen-address.ts';
import type { ConfigPath, ConfigProblemCode, Finding } from './problems.ts';
import type { Config } from './schema.ts';
import { formatDuration } from './values.ts';

export interface CheckResult {
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/**
 * Checks a configuration that fits the schema. `wrongKeys`: top-level keys of the file with problems of their own; what
 * would be a mere consequence of these is not reported.
 */
export function checkConfig(config: Config, wrongKeys: ReadonlySet<string> = new Set()): CheckResult {
  const problems = [
    ...checkListen(config.listen),
    ...checkApiKeys(config.apiKeys),
    ...checkBackendUrls(config),
  ];
  const warnings = checkTimes(config.scheduling);
  const exposureKnown = !['', 'listen', 'apiKeys', 'allowUnauthenticated'].some((key) => wrongKeys.has(key));
  if (exposureKnown && config.apiKeys.length === 0) {
    const exposure = checkExposure(config);
    if (config.allowUnauthenticated) warnings.push(...exposure);
    else problems.push(...exposure);
  }
  if (Object.keys(config.backends).length === 0) {
    warnings.push(finding([], 'no backends: nothing can be served', 'config_invalid'));
  }
  return { problems, warnings };
}

function checkListen(listen: Config['listen']): Finding[] {
  const findings: Finding[] = [];
  const earlier: { address: ListenAddress; text: string }[] = [];
  for (const [index, text] of listen.entries()) {
    const path = ['listen', index];
    const address = tryParseListenAddress(text);
    if (address === undefined) {
      findings.push({ ...finding(path, `must be ${listenForm}`, 'config_invalid'), showsValue: true });
      continue;
    }
    const other = earlier.find((known) => addressesCollide(known.address, address));
    if (other !== undefined) {
      findings.push(finding(path, `takes the same port as ${other.text}`, 'config_conflict'));
    }
    earlier.push({ address, text });
  }
  return findings;
}

function checkExposure({ listen, allowUnauthenticated }: Config): Finding[] {
  return [...listen.entries()].flatMap(([index, text]) => {
    const address = tryParseListenAddress(text);
    if (address === undefined || isLoopback(address.host)) return [];
    const message = allowUnauthenticated
      ? 'other machines can use this address without a key'
      : 'other machines could use this address without a key: add apiKeys, listen on 127.0.0.1, or set allowUnauthenticated: true';
    return [finding(['listen', index], message, 'config_conflict')];
  });
}

function checkApiKeys(apiKeys: Config['apiKeys']): Finding[] {
  const findings: Finding[] = [];
  const indexByKey = new Map<string, number>();
  const indexByName = new Map<string, number>();
  for (const [index, entry] of apiKeys.entries()) {
    const { key, name } = typeof entry === 'string' ? { key: entry, name: undefined } : entry;
    const keyPath = ['apiKeys', index, ...(name === undefined ? [] : ['key'])];
    const sameKey = indexByKey.get(key);
    if (sameKey === undefined) indexByKey.set(key, index);
    else findings.push(finding(keyPath, `same key as apiKeys[${sameKey}]`, 'config_conflict'));
    if (name === undefined) continue;
    const sameName = indexByName.get(name);
    if (sameName === undefined) indexByName.set(name, index);
    else
      findings.push(
        finding(['apiKeys', index, 'name'], `same name as apiKeys[${sameName}]`, 'config_conflict'),
      );
  }
  return findings;
}

function checkBackendUrls({ backends, listen }: Config): Finding[] {
  const findings: Finding[] = [];
  const idByUrl = new Map<string, string>();
  const own = listen.flatMap((text) => tryParseListenAddress(text) ?? []);
  for (const [id, { url: text }] of Object.entries(backends)) {
    const path = ['backends', id, 'url'];
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const fault = faultOfUrl(text, url);
    if (fault !== undefined) {
      findings.push(finding(path, fault, 'config_invalid'));
      continue;
    }
    const normal = url?.href.replace(/\/+$/, '') ?? '';
    const other = idByUrl.get(normal);
    if (other === undefined) idByUrl.set(normal, id);
    else findings.push(finding(path, `same URL as backend '${other}'`, 'config_conflict'));
    if (url !== undefined && own.some((address) => leadsTo(url, address))) {
      findings.push(finding(path, 'leads back to an address of this router (listen)', 'config_conflict'));
    }
  }
  return findings;
}

/** The text itself is never shown: it may hold credentials. */
function faultOfUrl(text: string, url: URL | undefined): string | undefined {
  if (!/^https?:\/\//i.test(text)) return 'must begin with http:// or https://';
  if (url === undefined) return 'must be a URL such as http://127.0.0.1:8080';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password (use apiKey)';
  if (/[?#]/.test(text)) return 'must not have a query or fragment';
  return undefined;
}

function leadsTo(url: URL, address: ListenAddress): boolean {
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  if (port !== address.port) return false;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isHere = isLoopback(address.host) || ['', '::', '0.0.0.0'].includes(address.host);
  return host === address.host || (isLoopback(host) && isHere);
}

/** Each use of a backend reserves it anew, so that the wait for another model's turn has no other end. */
function checkTimes({ queueTimeout, stickyDelay }: Config['scheduling']): Finding[] {
  if (queueTimeout === 0 || stickyDelay < queueTimeout) return [];
  const message = `not longer than stickyDelay (${formatDuration(stickyDelay)}): requests for other models can wait in vain`;
  return [finding(['scheduling', 'queueTimeout'], message, 'config_conflict')];
}

function finding(path: ConfigPath, message: string, code: ConfigProblemCode): Finding {
  return { path, message, code };
}
