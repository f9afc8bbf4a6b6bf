/** Rules that span several keys or need more than the schema knows. Pure; findings get their positions from load.ts. */
import { checkCache } from './check-cache.ts';
import { checkEnsembles } from './check-ensembles.ts';
import { checkManagement } from './check-management.ts';
import { checkModels } from './check-models.ts';
import { checkNames } from './check-names.ts';
import { checkRouting } from './check-routing.ts';
import {
  addressesCollide,
  isLoopback,
  leadsTo,
  listenForm,
  tryParseListenAddress,
} from './listen-address.ts';
import type { ListenAddress } from './listen-address.ts';
import type { CheckResult, ConfigPath, ConfigProblemCode, Finding } from './problems.ts';
import { findServed } from './names.ts';
import { checkHooks } from './resolve-hooks.ts';
import { nameTableOf } from './resolve-models.ts';
import { createPlanner, resolveRouting } from './resolve-routing.ts';
import { localMonitor, toGpuMonitor } from './schema-gpu.ts';
import { unnamedKeyName } from './schema-keys.ts';
import type { Config } from './schema.ts';
import { formatDuration } from './values.ts';

/**
 * Checks a configuration that fits the schema. `wrongKeys`: top-level keys of the file with problems of their own; what
 * would be a mere consequence of these is not reported.
 */
export function checkConfig(config: Config, wrongKeys: ReadonlySet<string> = new Set()): CheckResult {
  const results = [
    { problems: checkListen(config.listen), warnings: checkTimes(config.scheduling) },
    checkApiKeys(config.apiKeys),
    {
      problems: [...checkBackendUrls(config), ...checkGpuMonitors(config)],
      warnings: checkUrlVersions(config),
    },
    checkExposure(config, wrongKeys),
    checkCache(config),
    checkManagement(config),
    checkModels(config),
    ...checkNamesAndRouting(config, wrongKeys),
  ];
  const problems = results.flatMap((result) => result.problems);
  const warnings = results.flatMap((result) => result.warnings);
  if ([config.backends, config.models, config.peers].every((map) => Object.keys(map).length === 0)) {
    warnings.push(finding([], 'no backends, models or peers: nothing can be served', 'config_invalid'));
  }
  return { problems, warnings };
}

function checkNamesAndRouting(config: Config, wrongKeys: ReadonlySet<string>): CheckResult[] {
  const table = nameTableOf(config);
  const isKnown = (...keys: readonly string[]): boolean => ![...keys, ''].some((key) => wrongKeys.has(key));
  const routing = checkRouting(config, table, isKnown('models'));
  const routingIsGood = routing.problems.length === 0 && isKnown('models', 'groups', 'matrix', 'routing');
  const planner = routingIsGood ? createPlanner(resolveRouting(config)) : undefined;
  const hooks = isKnown('models')
    ? checkHooks(config, (name) => findServed(table, name)?.kind === 'model')
    : [];
  return [
    { problems: hooks, warnings: [] },
    routing,
    checkEnsembles(config, table),
    checkNames({ config, table, planner, targetsKnown: isKnown('models', 'peers') }),
  ];
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

function checkExposure(config: Config, wrongKeys: ReadonlySet<string>): CheckResult {
  const { listen, apiKeys, keysFile, allowUnauthenticated } = config;
  const deciding = ['', 'listen', 'apiKeys', 'keysFile', 'allowUnauthenticated'];
  const isUnknown = deciding.some((key) => wrongKeys.has(key));
  if (isUnknown || apiKeys.length > 0 || keysFile !== undefined) return { problems: [], warnings: [] };
  const message = allowUnauthenticated
    ? 'other machines can use this address without a key'
    : 'other machines could use this address without a key: add apiKeys, listen on 127.0.0.1, or set allowUnauthenticated: true';
  const open = [...listen.entries()].flatMap(([index, text]) => {
    const address = tryParseListenAddress(text);
    if (address === undefined || isLoopback(address.host)) return [];
    return [finding(['listen', index], message, 'config_conflict')];
  });
  return allowUnauthenticated ? { problems: [], warnings: open } : { problems: open, warnings: [] };
}

/**
 * The same key twice changes nothing unless one has a name: then it is not clear whose it is. A name must not be one
 * that an unnamed key gets by its place either, or two keys would share their counts.
 */
function checkApiKeys(apiKeys: Config['apiKeys']): CheckResult {
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  const indexByKey = new Map<string, number>();
  const indexByName = new Map(
    apiKeys.flatMap((entry, index) => (typeof entry === 'string' ? [[unnamedKeyName(index), index]] : [])),
  );
  for (const [index, entry] of apiKeys.entries()) {
    const { key, name } = typeof entry === 'string' ? { key: entry, name: undefined } : entry;
    const keyPath = ['apiKeys', index, ...(name === undefined ? [] : ['key'])];
    const sameKey = indexByKey.get(key);
    if (sameKey === undefined) indexByKey.set(key, index);
    else {
      const isHarmless = name === undefined && typeof apiKeys[sameKey] === 'string';
      const found = finding(keyPath, `same key as apiKeys[${sameKey}]`, 'config_conflict');
      (isHarmless ? warnings : problems).push(found);
    }
    if (name === undefined) continue;
    const sameName = indexByName.get(name);
    if (sameName === undefined) indexByName.set(name, index);
    else {
      const isUnnamed = typeof apiKeys[sameName] === 'string';
      const message = isUnnamed
        ? `apiKeys[${sameName}] has no name and is called '${name}' by its place`
        : `same name as apiKeys[${sameName}]`;
      problems.push(finding(['apiKeys', index, 'name'], message, 'config_conflict'));
    }
  }
  return { problems, warnings };
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

/** As it stands in the settings of most clients. */
function checkUrlVersions({ backends, peers }: Config): Finding[] {
  const urls = [
    ...Object.entries(backends).map(([id, { url }]) => ({ path: ['backends', id, 'url'], url })),
    ...Object.entries(peers).map(([id, { proxy }]) => ({ path: ['peers', id, 'proxy'], url: proxy })),
  ];
  const message = 'ends with /v1, which the routes have themselves: leave it out';
  return urls
    .filter(({ url }) => /\/v1\/*$/.test(url))
    .map(({ path }) => finding(path, message, 'config_conflict'));
}

function checkGpuMonitors({ backends, performance }: Config): Finding[] {
  return Object.entries(backends).flatMap(([id, { gpuMonitor }]) => {
    if (gpuMonitor === undefined) return [];
    const { url, apiKey } = toGpuMonitor(gpuMonitor);
    const path = ['backends', id, 'gpuMonitor'];
    const urlPath = typeof gpuMonitor === 'string' ? path : [...path, 'url'];
    if (url !== localMonitor) {
      const fault = faultOfUrl(url, URL.canParse(url) ? new URL(url) : undefined);
      return fault === undefined ? [] : [finding(urlPath, fault, 'config_invalid')];
    }
    return [
      ...(performance.disabled
        ? [finding(urlPath, 'nothing is known of this machine with performance.disabled', 'config_conflict')]
        : []),
      ...(apiKey === undefined
        ? []
        : [finding([...path, 'apiKey'], 'this machine is not asked with a key', 'config_conflict')]),
    ];
  });
}

/** The text itself is never shown: it may hold credentials. */
function faultOfUrl(text: string, url: URL | undefined): string | undefined {
  if (!/^https?:\/\//i.test(text)) return 'must begin with http:// or https://';
  if (url === undefined) return 'must be a URL such as http://127.0.0.1:8080';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password (use apiKey)';
  if (/[?#]/.test(text)) return 'must not have a query or fragment';
  return undefined;
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
