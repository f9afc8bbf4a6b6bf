/**
 * The composition root: builds every long-lived object top to bottom (what runs requests is built by app-engines.ts), and
 * knows how they start, change and stop together. Decides nothing about requests.
 */
import { randomUUID } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import type { DestinationStream, Logger } from 'pino';
import { stringify } from 'yaml';
import { createAdminApp } from './admin/app.ts';
import type { AdminDeps, DemoControl, ReloadReport } from './admin/deps.ts';
import { accessNeeded, isAdminPath, isOpenAdminPath } from './admin/paths.ts';
import { ActivityKeeper } from './app-activity.ts';
import { CacheKeeper } from './app-cache.ts';
import { createStoreFaults } from './app-store-faults.ts';
import { EngineRoom } from './app-engines.ts';
import { KeyKeeper } from './app-keys.ts';
import { Logs } from './app-logs.ts';
import { ModelHandles } from './app-models.ts';
import {
  createAffinityLookup,
  createFleetHistory,
  openPerformanceMonitor,
  performanceSettings,
  readMetrics,
  scrapeTargets,
} from './app-readings.ts';
import { openTracer } from './app-tracing.ts';
import { systemClock } from './base/clock.ts';
import type { LoadResult } from './config/load.ts';
import { planReload } from './config/plan.ts';
import { printConfig } from './config/print.ts';
import { formatProblem } from './config/problems.ts';
import type { Config } from './config/schema.ts';
import type { ModelsConfig } from './config/models.ts';
import { resolveModels } from './config/resolve-models.ts';
import { readTlsIdentity, type TlsIdentity } from './config/tls-files.ts';
import type { ActiveProfile } from './gateway/active-profile.ts';
import { createAuthenticator, type Authenticator } from './gateway/auth.ts';
import { createUpstream } from './gateway/http1/upstream.ts';
import { loopSignature } from './gateway/loop-guard.ts';
import { Listeners } from './gateway/listeners.ts';
import { Rediscovery } from './gateway/rediscovery.ts';
import { createGatewayServer, type GatewayServer } from './gateway/server.ts';
import type { GatewayParts } from './gateway/gateway.ts';
import { createOllamaSurface } from './gateway/ollama/surface.ts';
import type { Upstream } from './gateway/upstream.ts';
import { createDecisionLog } from './store/decisions.ts';
import type { History } from './store/history.ts';
import type { RequestRecord } from './store/request-record.ts';
import { createRequestTable } from './store/requests.ts';
import type { StoreFaults } from './store/store-faults.ts';
import { createLog, lostLines, stderrDestination, type Log } from './telemetry/log.ts';
import { createRequestLog } from './telemetry/request-line.ts';
import type { PerformanceMonitor } from './telemetry/host/performance-monitor.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { ModelLoads } from './telemetry/model-loads.ts';
import type { Tracer } from './telemetry/tracing/tracer.ts';

export interface AppOptions {
  readonly config: Config;
  readonly version: string;
  /** Models with processes of our own, selectors, peers …; absent = none. */
  readonly models?: ModelsConfig;
  /** Environment that child processes inherit; default: none. */
  readonly env?: NodeJS.ProcessEnv;
  /** Engines are simulated: pages say so, and can switch the simulated users. */
  readonly demo?: DemoControl;
  /** Whether a person reads the log. */
  readonly terminal: boolean;
  /** Where `config` came from and how to read it again; absent = there is no file. */
  readonly source?: { readonly file: string; readonly read: (inForce: Config) => Promise<LoadResult> };
  /** Default: stderr. */
  readonly logDestination?: DestinationStream;
}

const recentRequestsMax = 1000;
const decisionsMax = 1000;
const progressIntervalMs = 1000;
const drainCheckMs = 50;
/** How long clients whose requests are cut get to read why. */
const flushMsMax = 1000;

export class App {
  readonly log: Logger;
  readonly #logRequest: (record: RequestRecord) => void;
  readonly #options: AppOptions;
  readonly #clock = systemClock;
  readonly #startedEpochMs = systemClock.epochMs();
  readonly #requests = createRequestTable({ recentMax: recentRequestsMax, clock: systemClock });
  readonly #decisions = createDecisionLog({ max: decisionsMax });
  readonly #logs: Logs;
  readonly #engines: EngineRoom;
  readonly #handles: ModelHandles;
  readonly #signature = loopSignature(randomUUID());
  readonly #ending = new AbortController();
  readonly #upstream: Upstream = createUpstream();
  readonly #metrics: Metrics;
  readonly #loads: ModelLoads;
  /** undefined = nobody wants traces. */
  readonly #tracer: Tracer | undefined;
  readonly #history: History;
  readonly #performance: PerformanceMonitor;
  readonly #activity: ActivityKeeper;
  readonly #keys: KeyKeeper;
  readonly #cache: CacheKeeper;
  readonly #storeFaults: StoreFaults;
  readonly #progress: NodeJS.Timeout;
  readonly #server: GatewayServer;
  readonly #listeners: Listeners;
  #config: Config;
  /** From the start on or never. */
  #tls: TlsIdentity | undefined;
  #lastReload: ReloadReport | undefined;
  #reloading: Promise<unknown> = Promise.resolve();
  /** From the beginning of a drain. */
  #draining = false;
  /** After the lame-duck time. */
  #refusing = false;

  constructor(options: AppOptions) {
    const { config } = options;
    this.#options = options;
    this.#config = config;
    this.#logs = this.#buildLogs();
    const log = this.#buildLog();
    this.log = log.logger;
    this.#logRequest = createRequestLog<RequestRecord>(log, (record) => this.#tracer?.traceIdOf(record));
    this.#loads = new ModelLoads({
      clock: this.#clock,
      onEnded: (load) => {
        this.#metrics.modelLoaded(load);
        this.#tracer?.loaded(load);
      },
    });
    this.#performance = openPerformanceMonitor({
      clock: this.#clock,
      log: this.log,
      env: options.env,
      models: () => this.#engines.models.models.values(),
    });
    this.#engines = this.#buildEngines();
    this.#handles = this.#buildHandles();
    this.#metrics = createMetrics({
      version: options.version,
      startedEpochMs: this.#startedEpochMs,
      knowsModel: (model) => this.#engines.fleet.names().has(model),
      collect: () =>
        readMetrics({
          dispatcher: this.#engines.dispatcher,
          backends: this.#engines.backends,
          requests: this.#requests,
          processes: this.#engines.processes,
          connections: () => this.#server.connectionCount,
          logLinesLost: () => lostLines(this.#logs.destination),
          spans: () => this.#tracer?.counts,
          host: this.#performance,
          cache: () => this.#cache.current?.size,
        }),
      scraped: () => scrapeTargets(this.#config, this.#engines.backends),
    });
    this.#history = createFleetHistory(this.#clock, this.#engines.dispatcher, this.#requests);
    this.#progress = setInterval(() => this.#requests.countProgress(), progressIntervalMs).unref();
    this.#storeFaults = createStoreFaults(this.log);
    this.#keys = new KeyKeeper({ clock: this.#clock, config, log: this.log, faults: this.#storeFaults });
    this.#cache = new CacheKeeper({ clock: this.#clock, config, faults: this.#storeFaults });
    this.#activity = new ActivityKeeper({
      clock: this.#clock,
      config,
      models: () => this.#engines.models,
      processOf: (model) => this.#engines.processes.get(model)?.process,
      faults: this.#storeFaults,
    });
    this.#tracer = openTracer({
      env: options.env,
      clock: this.#clock,
      log: this.log,
      version: options.version,
      requests: this.#requests,
      backends: this.#engines.backends,
    });
    this.#tellOfFinishedRequests();
    this.#server = this.#buildServer();
    this.#listeners = new Listeners(() => this.#server.create());
  }

  /** Opens the addresses and starts probing. Rejects when an address cannot be opened. */
  async start(): Promise<void> {
    const { tls, listen } = this.#config;
    this.#performance.configure(performanceSettings(this.#config));
    if (tls !== undefined) this.#tls = await readTlsIdentity(tls);
    await this.#engines.start();
    await this.#listen(listen);
    this.#engines.preload();
  }

  /** Which profile of the configuration is in force. */
  get profile(): ActiveProfile {
    return this.#engines.profile;
  }

  /** Addresses that are open, as `HOST:PORT`. */
  addresses(): string[] {
    return this.#listeners.addresses();
  }

  /** Takes over the file by difference, one call after the other; a bad file changes nothing. Never rejects. */
  reload(): Promise<ReloadReport> {
    const reload = this.#reloading.then(() => this.#reload());
    this.#reloading = reload.catch(() => {});
    return reload;
  }

  async #reload(): Promise<ReloadReport> {
    const problems = await this.#takeOver();
    const ok = problems.length === 0;
    this.#lastReload = { atEpochMs: this.#clock.epochMs(), ok, problems };
    if (ok) this.log.info({ config: this.#options.source?.file }, 'configuration reloaded');
    else this.log.error({ problems }, 'configuration not reloaded, the running one stays');
    return this.#lastReload;
  }

  /** Lame-duck time, then no new requests; resolves when the running ones are done or `drain.timeout` has passed. */
  async drain(): Promise<void> {
    this.#draining = true;
    const { lameDuck, timeout } = this.#config.drain;
    this.log.info({ running: this.#requests.inFlightCount, lameDuckMs: lameDuck }, 'draining');
    if (lameDuck > 0) await delay(lameDuck);
    this.#refusing = true;
    this.#ending.abort();
    this.#engines.dispatcher.drain();
    const deadlineMs = this.#clock.nowMs() + timeout;
    while (this.#requests.inFlightCount > 0 && this.#clock.nowMs() < deadlineMs) await delay(drainCheckMs);
    await this.#server.flushed(deadlineMs - this.#clock.nowMs());
    await this.close({ gently: true });
  }

  /** Ends everything at once; `gently` lets processes end in their own time. */
  async close({ gently = false } = {}): Promise<void> {
    this.#ending.abort();
    for (const record of this.#requests.inFlight()) this.#requests.cancel(record.id, 'shutdown');
    await this.#server.flushed(flushMsMax);
    clearInterval(this.#progress);
    this.#history.close();
    await this.#performance.close();
    this.#metrics.close();
    await this.#engines.stop({ gently });
    await this.#logs.close();
    await this.#engines.close();
    await this.#tracer?.close();
    this.#listeners.destroy();
    this.#upstream.close();
    this.#activity.close();
    this.#keys.close();
    this.#cache.close();
  }

  async #listen(wanted: readonly string[]): Promise<void> {
    const before = new Set(this.addresses());
    const scheme = this.#tls === undefined ? 'http' : 'https';
    await this.#listeners.apply(wanted);
    for (const address of this.addresses()) {
      if (!before.has(address)) this.log.info(`listening on ${scheme}://${address}`);
    }
  }

  #tellOfFinishedRequests(): void {
    this.#requests.subscribe({
      finished: (record) => {
        this.#metrics.requestFinished(record);
        this.#activity.finished(record);
        if (this.#config.log.requests) this.#logRequest(record);
      },
    });
  }

  #buildEngines(): EngineRoom {
    const { config, models, env, source } = this.#options;
    return new EngineRoom({
      config,
      models: models ?? resolveModels(config),
      clock: this.#clock,
      log: this.log,
      seed: this.#startedEpochMs,
      host: this.#performance,
      signature: this.#signature,
      env: env ?? {},
      file: source?.file,
      onDecision: (decision) => {
        this.#decisions.add(decision);
        this.#tracer?.placed(decision.request, decision.backend);
      },
      loads: {
        wanted: (id, isSwap) => this.#loads.wanted(id, isSwap),
        unloading: (model, reason) => this.#metrics.modelUnloading({ model, reason }),
        changed: (view) => this.#loads.changed(view),
        removed: (id) => this.#loads.removed(id),
      },
      onChanged: (output) => {
        if (output !== undefined) this.#logs.follow(output);
        this.#handles.changed();
      },
      onRemoved: (id) => {
        this.#handles.changed();
        this.#upstream.forget(id);
      },
    });
  }

  #buildHandles(): ModelHandles {
    const { processes, dispatcher, names } = this.#engines;
    return new ModelHandles({
      config: () => this.#engines.models,
      processes,
      dispatcher,
      names,
      load: (model) => this.#engines.loadModel(model),
    });
  }

  #buildLog(): Log {
    return createLog({
      config: this.#config.log,
      terminal: this.#options.terminal,
      timeFormat: () => this.#config.logTimeFormat,
      destination: this.#logs.destination,
      keep: (line) => this.#logs.keep(line),
    });
  }

  #buildLogs(): Logs {
    const { config, logDestination, terminal } = this.#options;
    return new Logs({
      mode: config.logToStdout,
      out: logDestination ?? stderrDestination(terminal),
      outputOf: (name) => this.#engines.outputOf(name),
    });
  }

  #buildServer(): GatewayServer {
    const authenticator = createAuthenticator(this.#keys.ring, () => this.#clock.epochMs());
    const admin = createAdminApp(this.#adminDeps(authenticator));
    const control = getRequestListener(admin.fetch, { overrideGlobalObjects: false });
    const { names, backends, fleet, dispatcher } = this.#engines;
    const parts: GatewayParts = {
      clock: this.#clock,
      config: () => this.#config,
      models: () => this.#engines.models,
      names,
      registry: backends,
      fleet,
      rediscovery: new Rediscovery({ registry: backends, clock: this.#clock }),
      dispatcher,
      upstream: this.#upstream,
      requests: this.#requests,
      captures: this.#activity.captures,
      responses: this.#activity.responses,
      cache: () => this.#cache.current,
      keyMeter: this.#keys.meter,
      traces: this.#tracer,
      log: this.log,
      signature: this.#signature,
    };
    const answerOllama = createOllamaSurface(parts);
    return createGatewayServer({
      parts,
      authenticator: () => authenticator,
      control: (request, response, key) => {
        if (!answerOllama(request, response, key)) void control(request, response);
      },
      isControlPath: isAdminPath,
      accessNeeded,
      isOpenPath: isOpenAdminPath,
      draining: () => this.#refusing,
      tls: () => this.#tls,
      onRefusedConnection: () => this.#metrics.connectionRejected(),
    });
  }

  #adminDeps(authenticator: Authenticator): AdminDeps {
    const { dispatcher, names, backends, profile, processes, gpuLoads } = this.#engines;
    return {
      clock: this.#clock,
      log: this.log,
      version: this.#options.version,
      startedEpochMs: this.#startedEpochMs,
      demo: this.#options.demo,
      requests: this.#requests,
      decisions: this.#decisions,
      history: this.#history,
      listen: () => this.addresses(),
      configFile: () => this.#options.source?.file,
      lastReload: () => this.#lastReload,
      keysRequired: () => this.#keys.ring.isRequired,
      accessOf: (headers) => authenticator.accessOf(headers),
      keys: this.#keys.list,
      draining: () => this.#draining,
      snapshot: (queuedMax) => dispatcher.snapshot(queuedMax),
      backends: () => backends.list(),
      hostOf: (id) => gpuLoads.hostOf(id),
      models: this.#handles,
      profile,
      hooks: processes.hooks,
      performance: this.#performance,
      logs: this.#logs,
      ending: this.#ending.signal,
      activity: this.#activity,
      storesFailing: () => this.#storeFaults.failing,
      cache: () => this.#cache.current,
      cacheSettings: () => this.#config.cache,
      affinity: createAffinityLookup({ config: () => this.#config, names, dispatcher }),
      usage: this.#activity.usage,
      sessionHeaders: () => this.#config.ui.activity.session_id,
      metrics: async () => ({ contentType: this.#metrics.contentType, text: await this.#metrics.text() }),
      printConfig: () => stringify(printConfig(this.#config)),
      reload: () => this.reload(),
      setBackendDraining: (id, draining) => backends.setDraining(id, draining),
      probeNow: (id) => backends.probeNow(id),
    };
  }

  /** Returns what stood in the way; nothing has changed then. */
  async #takeOver(): Promise<string[]> {
    const { source } = this.#options;
    if (source === undefined) return ['there is no configuration file to read again'];
    const loaded = await source.read(this.#config);
    if (loaded.warnings.length > 0) {
      this.log.warn({ warnings: loaded.warnings.map(formatProblem) }, 'configuration has warnings');
    }
    if (!loaded.ok) return loaded.problems.map(formatProblem);
    const { config } = loaded;
    const plan = planReload(this.#config, config);
    try {
      if (this.#tls !== undefined && config.tls !== undefined) this.#tls = await readTlsIdentity(config.tls);
      await this.#listen(config.listen);
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
    if (this.#tls !== undefined) this.#server.renew(this.#tls);
    this.#config = config;
    if (plan.log) this.log.level = config.log.level;
    if (plan.needsRestart.length > 0) {
      this.log.warn({ keys: plan.needsRestart }, 'changed keys that take effect after a restart');
    }
    this.#activity.configure(config);
    this.#keys.configure(config);
    this.#cache.configure(config);
    this.#performance.configure(performanceSettings(config));
    await this.#engines.configure(config, this.#options.models ?? resolveModels(config));
    return [];
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
