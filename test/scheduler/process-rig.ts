/** A rig whose backends are processes: news of them is one word each, under the number of their newest load. */
import type { BackendState, LoadFailure, ProcessView } from '../../src/domain/backend-view.ts';
import type { BackendId } from '../../src/domain/ids.ts';
import { createGroupPlanner } from '../../src/scheduler/residency/groups.ts';
import type { Group } from '../../src/scheduler/residency/groups.ts';
import { compileMatrix } from '../../src/scheduler/residency/matrix/compile.ts';
import { createMatrixPlanner } from '../../src/scheduler/residency/matrix/planner.ts';
import type { ResidencyPlanner } from '../../src/scheduler/residency/planner.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import { Rig } from './rig.ts';
import type { ViewFields } from './rig.ts';

export interface ProcessFields extends ViewFields {
  readonly ttlMs?: number;
  readonly unloadTimeoutMs?: number;
  readonly generation?: number;
  readonly host?: string;
}

export const crash: LoadFailure = {
  code: 'process_exited',
  message: 'The process ended with exit code 1',
  retryAtMs: 0,
};

/** Every model replaces every other. */
export const oneAtATime = groups();

/** Settings with these groups on the host of the rig; a model in none replaces everything. */
export function groups(...list: readonly Group[]): Partial<SchedulerSettings> {
  return residency(createGroupPlanner(list));
}

export function residency(planner: ResidencyPlanner): Partial<SchedulerSettings> {
  return { residency: new Map([['host', planner]]) };
}

export function matrix(...sets: readonly string[]): Partial<SchedulerSettings> {
  const program = compileMatrix({
    vars: new Map(),
    sets: new Map(sets.map((set, index) => [`set${index}`, set])),
    isModel: () => true,
  });
  return residency(createMatrixPlanner({ program, evictCosts: new Map() }));
}

export function group(members: string, flags: Partial<Group> = {}): Group {
  return {
    name: members,
    members: members.split(''),
    swap: true,
    exclusive: true,
    persistent: false,
    ...flags,
  };
}

export class ProcessRig extends Rig {
  readonly #fields = new Map<BackendId, ProcessFields>();
  readonly #generations = new Map<BackendId, number>();

  /** Stopped processes, one letter each; a model is called like its process. */
  add(ids: string, fields: ProcessFields = {}): this {
    for (const id of ids) {
      this.#fields.set(id, fields);
      this.#generations.set(id, 0);
      this.#tell(id, 'stopped');
    }
    return this;
  }

  starting(id: BackendId, fields: ProcessFields = {}): string {
    return this.#tell(id, 'starting', fields);
  }

  ready(id: BackendId, fields: ProcessFields = {}): string {
    return this.#tell(id, 'live', fields);
  }

  stopping(id: BackendId): string {
    return this.#tell(id, 'stopping');
  }

  stopped(id: BackendId, failure?: LoadFailure): string {
    return this.#tell(id, 'stopped', {}, failure);
  }

  /** Somebody wants it stopped. */
  unloadWish(id: BackendId): string {
    return this.handle({ type: 'unloadRequested', id });
  }

  /** It is to be replaced by one of another definition. */
  replacementWish(id: BackendId): string {
    return this.handle({ type: 'replacementRequested', id });
  }

  /** Loads a model by a request for it, which is then over. */
  warm(ids: string): this {
    for (const id of ids) {
      this.arrive(`warm-${id}`, { model: id });
      this.ready(id);
      this.finish(`warm-${id}`);
    }
    return this;
  }

  override news(): string {
    const news = super.news();
    for (const [, id = '', generation] of news.matchAll(/load (\S+) (\d+)/g)) {
      this.#generations.set(id, Number(generation));
    }
    // The numbers say nothing in most tests.
    return news.replaceAll(/(?<!un)load (\S+) \d+/g, 'load $1');
  }

  #tell(id: BackendId, state: BackendState, changed: ProcessFields = {}, failure?: LoadFailure): string {
    const fields = { ...this.#fields.get(id), ...changed };
    const { ttlMs = 0, unloadTimeoutMs = 60_000, host = 'host', generation: _, ...view } = fields;
    const generation = changed.generation ?? this.#generations.get(id) ?? 0;
    const process: ProcessView = { host, generation, ttlMs, unloadTimeoutMs, failure };
    return this.backend(id, { models: [id], state, slotsTotal: 2, ...view, process });
  }
}
