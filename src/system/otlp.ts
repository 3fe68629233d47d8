/**
 * A span a request, sent to a collector by OTLP over HTTP (JSON), in batches and in the background. A
 * collector that is away costs spans, never a call. Which trace a request belongs to is its pipeline's.
 */
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import { kartuVersion } from "./version.ts";

export interface RequestSpan {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** Of the caller's `traceparent`; null where the trace starts here. */
  readonly parentSpanId: string | null;
  readonly method: string;
  /** The route's pattern; `unmatched` where none fits. */
  readonly route: string;
  readonly status: number;
  readonly startMs: number;
  readonly tookMs: number;
}

export interface Tracer {
  request(span: RequestSpan): void;
  /** Sends what waits; then none is taken any more. */
  close(): Promise<void>;
}

export interface OtlpOptions {
  /** Base address of the collector, or that of its traces, ending in `/v1/traces`. */
  readonly endpoint: string;
  /** A batch waits so long for more. Default 1000. */
  readonly delayMs?: number;
  /** Told of a batch that was lost. */
  readonly onLost?: (spans: number, error: unknown) => void;
}

const tracesPath = "/v1/traces";
const batchSpansMax = 512;
const timeoutMs = 10_000;

export function otlpTracer({ endpoint, delayMs = 1_000, onLost }: OtlpOptions): Tracer {
  const base = endpoint.replace(/\/+$/, "");
  const url = base.endsWith(tracesPath) ? base : base + tracesPath;
  const otlp = new OTLPTraceExporter({ url, timeoutMillis: timeoutMs });
  const exporter: SpanExporter = {
    export: (spans, done) =>
      otlp.export(spans, (result) => {
        if (result.error !== undefined) onLost?.(spans.length, result.error);
        done(result);
      }),
    forceFlush: () => otlp.forceFlush(),
    shutdown: () => otlp.shutdown(),
  };
  const processor = new BatchSpanProcessor(exporter, {
    scheduledDelayMillis: delayMs,
    maxExportBatchSize: batchSpansMax,
    maxQueueSize: 8 * batchSpansMax,
    exportTimeoutMillis: timeoutMs,
  });
  const resource = resourceFromAttributes({
    "service.name": "kartu",
    "service.version": kartuVersion,
  });
  return {
    request: (span) => processor.onEnd(readable(span, resource)),
    // What was lost at the end was told as anything else that is lost.
    close: () => processor.shutdown().catch(() => undefined),
  };
}

/** Names after the semantic conventions for HTTP server spans. */
function readable(span: RequestSpan, resource: ReadableSpan["resource"]): ReadableSpan {
  const { traceId, spanId, parentSpanId, method, route, status, startMs, tookMs } = span;
  const traceFlags = TraceFlags.SAMPLED;
  return {
    name: `${method} ${route}`,
    kind: SpanKind.SERVER,
    spanContext: () => ({ traceId, spanId, traceFlags }),
    ...(parentSpanId !== null && {
      parentSpanContext: { traceId, spanId: parentSpanId, traceFlags, isRemote: true },
    }),
    startTime: timeOf(startMs),
    endTime: timeOf(startMs + tookMs),
    duration: timeOf(tookMs),
    status: { code: status >= 500 ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: {
      "http.request.method": method,
      "http.route": route,
      "http.response.status_code": status,
    },
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: "kartu", version: kartuVersion },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function timeOf(ms: number): [number, number] {
  const sec = Math.floor(ms / 1000);
  return [sec, Math.round((ms - sec * 1000) * 1e6)];
}
