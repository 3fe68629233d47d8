/** What is counted, traced and logged of every call, whichever surface it came by. */
import type { Kartu } from "./app.ts";
import { pathOf } from "./http/context.ts";
import type { PlatformServed } from "./http/platform/surface.ts";
import { newSpanId, readTrace } from "./http/platform/trace.ts";
import { styleOf } from "./http/problem.ts";
import type { Served } from "./http/surface.ts";
import { createMetrics, type Metrics, type SurfaceName } from "./system/metrics.ts";
import type { Tracer } from "./system/otlp.ts";

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export interface Instruments {
  readonly metrics: Metrics;
  readonly servedDevice: (line: Served) => void;
  readonly servedPlatform: (line: PlatformServed) => void;
  /** Counts what no route took; neither its path nor a made-up verb becomes a label. */
  readonly missed: (request: Request, status: number) => void;
  close(): Promise<void>;
}

/** The library comes in where it is asked for. */
async function tracerOf({ config, log }: Kartu): Promise<Tracer | undefined> {
  if (config.otlpEndpoint === "") return undefined;
  const { otlpTracer } = await import("./system/otlp.ts");
  return otlpTracer({
    endpoint: config.otlpEndpoint,
    onLost: (spans, error) => log.warn("spans were lost", { spans, error }),
  });
}

export async function instrumentsOf(kartu: Kartu): Promise<Instruments> {
  const { log, store } = kartu;
  const metrics = createMetrics();
  metrics.watch("kartu_write_queue_depth", "Writes that wait for their group.", () => store.depth);
  const tracer = await tracerOf(kartu);

  function note(surface: SurfaceName, line: Served | PlatformServed): void {
    const { requestId, method, path, status, caller, tookMs } = line;
    metrics.served({ surface, route: path, method, status, tookMs });
    log.info("served", { requestId, method, path, status, ...(caller && { caller }), tookMs });
  }

  return {
    metrics,
    servedDevice: (line) => {
      note("terminal", line);
      if (tracer === undefined) return;
      const trace = readTrace(line.traceparent);
      if (trace.sampled) span(tracer, trace, line);
    },
    servedPlatform: (line) => {
      note("platform", line);
      if (tracer !== undefined && line.sampled) span(tracer, line, line);
    },
    missed: ({ method, url }, status) =>
      metrics.served({
        surface: styleOf(pathOf(url)) === "device" ? "terminal" : "platform",
        route: "unmatched",
        method: methods.has(method) ? method : "other",
        ...{ status, tookMs: 0 },
      }),
    close: async () => tracer?.close(),
  };
}

function span(
  tracer: Tracer,
  { traceId, parentSpanId }: { readonly traceId: string; readonly parentSpanId: string | null },
  { method, path: route, status, startedMs: startMs, tookMs }: Served | PlatformServed,
): void {
  tracer.request({
    ...{ traceId, spanId: newSpanId(), parentSpanId },
    ...{ method, route, status, startMs, tookMs },
  });
}
