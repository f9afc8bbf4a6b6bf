/**
 * What of the monitor's feed is for everybody where the router wants keys: figures, and no name, address or text. Every
 * member is decided here, so that a new one is not told by accident.
 */
import type { MonitorBody } from '../contract.ts';

/** In place of the problem itself, which quotes the configuration. */
const problemHidden = 'What is wrong with it needs a key to be read';

export function figuresOnly(feed: MonitorBody): MonitorBody {
  return {
    version: feed.version,
    now: feed.now,
    uptime: feed.uptime,
    total_requests: feed.total_requests,
    demo: feed.demo,
    demo_traffic: feed.demo_traffic,
    draining: feed.draining,
    keys_required: feed.keys_required,
    names_hidden: true,
    reload_problem: feed.reload_problem === null ? null : problemHidden,
    listen: [],
    queue_depth: feed.queue_depth,
    longest_wait_seconds: feed.longest_wait_seconds,
    queue: [],
    in_flight_count: feed.in_flight_count,
    in_flight: [],
    recent: [],
    by_outcome: feed.by_outcome,
    sessions: feed.sessions,
    traffic: feed.traffic,
    models: [],
    backends: [],
    backends_total: feed.backends_total,
    backends_live: feed.backends_live,
    slots: feed.slots,
    tokens: { today: feed.tokens.today, models: [], hour: feed.tokens.hour },
    cache: feed.cache,
    history: feed.history,
  };
}
