/**
 * What is counted for Prometheus. Counting is a look into a map and an addition, since it happens on
 * every call; prom-client comes in when somebody asks for the text. No label names a tenant, a person or an address: a route is its
 * pattern. Who may read the text is not decided here.
 */
import type { MetricObjectWithValues, MetricValueWithName } from "prom-client";

export type SurfaceName = "terminal" | "platform";
export type BreakerState = "closed" | "half_open" | "open";

/** One answered call. */
export interface CountedCall {
  readonly surface: SurfaceName;
  /** The route's pattern; `unmatched` where none fits. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly tookMs: number;
}

export interface Metrics {
  served(call: CountedCall): void;
  rateLimited(layer: "local" | "global"): void;
  delivered(result: "delivered" | "failed"): void;
  /** Something that people were told of. */
  alerted(kind: string): void;
  breaker(module: string, state: BreakerState): void;
  /** A value that is read whenever the text is asked for. */
  watch(name: string, help: string, read: () => number): void;
  readonly contentType: string;
  text(): Promise<string>;
}

const breakerNumbers: Readonly<Record<BreakerState, number>> = {
  closed: 0,
  half_open: 1,
  open: 2,
};
const bucketsSec = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Labels = Readonly<Record<string, string | number>>;

interface Count {
  readonly labels: Labels;
  value: number;
}

/** Numbers of one name by their labels. */
class Counts {
  readonly all = new Map<string, Count>();

  /** @param key tells these labels from others. */
  of(key: string, labels: () => Labels): Count {
    let found = this.all.get(key);
    if (found === undefined) {
      found = { labels: labels(), value: 0 };
      this.all.set(key, found);
    }
    return found;
  }
}

/** Durations of one kind of call: how many ended in each bucket, the last one being +Inf. */
interface Times {
  readonly labels: Labels;
  readonly buckets: Float64Array;
  sumSec: number;
}

/** Calls of one route and verb, found without making a key of both. */
class Meter {
  readonly times: Times;
  readonly #counts = new Map<number, Count>();

  constructor(
    readonly labels: {
      readonly surface: SurfaceName;
      readonly route: string;
      readonly method: string;
    },
    readonly requests: Counts,
  ) {
    this.times = { labels, buckets: new Float64Array(bucketsSec.length + 1), sumSec: 0 };
  }

  add(status: number, sec: number): void {
    let count = this.#counts.get(status);
    if (count === undefined) {
      const { surface, route, method } = this.labels;
      count = this.requests.of(`${surface} ${method} ${route} ${status}`, () => ({
        ...this.labels,
        status,
      }));
      this.#counts.set(status, count);
    }
    count.value += 1;
    let at = 0;
    while (at < bucketsSec.length && sec > bucketsSec[at]!) at += 1;
    this.times.buckets[at]! += 1;
    this.times.sumSec += sec;
  }
}

type Values = MetricObjectWithValues<MetricValueWithName<string>>["values"];

/** Cumulative, as the exposition format wants them. */
function valuesOf(name: string, { labels, buckets, sumSec }: Times): Values {
  const values: Values = [];
  let count = 0;
  for (const [at, own] of buckets.entries()) {
    count += own;
    const le = bucketsSec[at] ?? "+Inf";
    values.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: count });
  }
  values.push({ metricName: `${name}_sum`, labels, value: sumSec });
  values.push({ metricName: `${name}_count`, labels, value: count });
  return values;
}

/** Gauges of the runtime that call themselves totals, which Prometheus keeps for counters. */
const misnamed = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

const secondsName = "kartu_http_request_seconds";

export function createMetrics(): Metrics {
  const requests = new Counts();
  const limited = new Counts();
  const deliveries = new Counts();
  const alerts = new Counts();
  const breakers = new Counts();
  const meters: Meter[] = [];
  /** By route, then by verb. */
  const metersOf = {
    terminal: new Map<string, Map<string, Meter>>(),
    platform: new Map<string, Map<string, Meter>>(),
  };
  const watched: { name: string; help: string; read: () => number }[] = [];
  // Else a rate over a first occurrence shows nothing.
  for (const layer of ["local", "global"]) limited.of(layer, () => ({ layer }));
  for (const result of ["delivered", "failed"]) deliveries.of(result, () => ({ result }));

  function meterOf(surface: SurfaceName, route: string, method: string): Meter {
    let ofRoute = metersOf[surface].get(route);
    if (ofRoute === undefined) {
      ofRoute = new Map();
      metersOf[surface].set(route, ofRoute);
    }
    let meter = ofRoute.get(method);
    if (meter === undefined) {
      meter = new Meter({ surface, route, method }, requests);
      ofRoute.set(method, meter);
      meters.push(meter);
    }
    return meter;
  }

  /** All there is, as prom-client knows it. */
  async function registry() {
    const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = await import(
      "prom-client"
    );
    const made = new Registry();
    const registers = [made];
    const counted = (name: string, help: string, labelNames: string[], counts: Counts) => {
      const counter = new Counter({
        ...{ name, help, labelNames, registers },
        collect() {
          this.reset();
          for (const { labels, value } of counts.all.values()) this.inc(labels, value);
        },
      });
      return counter;
    };
    counted(
      "kartu_http_requests_total",
      "Calls answered, by surface, route pattern, method and status.",
      ["surface", "route", "method", "status"],
      requests,
    );
    const times = new Histogram({
      name: secondsName,
      help: "Time from the request to its answer.",
      labelNames: ["surface", "route", "method"],
      buckets: bucketsSec,
      registers,
    });
    const shape = await times.get();
    const get = async () => ({
      ...shape,
      values: meters.flatMap(({ times }) => valuesOf(secondsName, times)),
    });
    Object.assign(times, { get, getForPromString: get });
    counted(
      "kartu_rate_limited_total",
      "Calls refused by a rate limit: local buckets, global windows.",
      ["layer"],
      limited,
    );
    counted(
      "kartu_webhook_deliveries_total",
      "Attempts to deliver an event by webhook.",
      ["result"],
      deliveries,
    );
    counted("kartu_alerts_total", "Alerts raised, by kind.", ["kind"], alerts);
    new Gauge({
      name: "circuit_breaker_state",
      help: "Breaker of a module's upstream: 0 closed, 1 half-open, 2 open.",
      labelNames: ["module"],
      registers,
      collect() {
        for (const { labels, value } of breakers.all.values()) this.set(labels, value);
      },
    });
    for (const { name, help, read } of watched) {
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read());
        },
      });
    }
    // These cost a little all the time: not before somebody looks.
    collectDefaultMetrics({ register: made });
    for (const name of misnamed) made.removeSingleMetric(name);
    return made;
  }

  let shown: ReturnType<typeof registry> | undefined;

  return {
    served: ({ surface, route, method, status, tookMs }) =>
      meterOf(surface, route, method).add(status, tookMs / 1000),
    rateLimited: (layer) => {
      limited.of(layer, () => ({ layer })).value += 1;
    },
    delivered: (result) => {
      deliveries.of(result, () => ({ result })).value += 1;
    },
    alerted: (kind) => {
      alerts.of(kind, () => ({ kind })).value += 1;
    },
    breaker: (module, state) => {
      breakers.of(module, () => ({ module })).value = breakerNumbers[state];
    },
    watch: (name, help, read) => void watched.push({ name, help, read }),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    text: async () => {
      shown ??= registry();
      return await (await shown).metrics();
    },
  };
}
