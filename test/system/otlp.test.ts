/** Spans as a small real collector receives them over HTTP, and what becomes of them without one. */
import { afterEach, expect, test } from "bun:test";
import { otlpTracer, type RequestSpan } from "../../src/system/otlp.ts";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number };
}
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

function collector(status = 200) {
  const paths: string[] = [];
  const sent: Sent[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      paths.push(new URL(request.url).pathname);
      const bytes = new Uint8Array(await request.arrayBuffer());
      const isZipped = request.headers.get("content-encoding") === "gzip";
      sent.push(JSON.parse(new TextDecoder().decode(isZipped ? Bun.gunzipSync(bytes) : bytes)));
      return Response.json({}, { status });
    },
  });
  undo.push(() => server.stop(true));
  const spans = () =>
    sent.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  return { url: `http://127.0.0.1:${server.port}`, paths, sent, spans };
}

const span = (change: Partial<RequestSpan> = {}): RequestSpan => ({
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "b7ad6b7169203331",
  method: "GET",
  route: "/users/:id",
  status: 200,
  startMs: 1_800_000_000_123,
  tookMs: 4.5,
  ...change,
});

const plain = (attributes: readonly Attribute[]) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
  );

test("route, status, times, and the caller's span as the parent", async () => {
  const { url, paths, sent, spans } = collector();
  const tracer = otlpTracer({ endpoint: `${url}/`, delayMs: 5 });
  tracer.request(span());
  tracer.request(span({ spanId: "00f067aa0ba902b8", parentSpanId: null, status: 503 }));
  await tracer.close();
  expect(paths).toEqual(["/v1/traces"]);
  const [first, second] = spans();
  expect(first).toMatchObject({
    ...{ traceId: span().traceId, spanId: span().spanId, parentSpanId: "b7ad6b7169203331" },
    ...{ name: "GET /users/:id", kind: 2 },
    startTimeUnixNano: "1800000000123000000",
    endTimeUnixNano: "1800000000127500000",
    status: { code: 0 },
  });
  expect(plain(first?.attributes ?? [])).toEqual({
    "http.request.method": "GET",
    "http.route": "/users/:id",
    "http.response.status_code": 200,
  });
  expect(second?.parentSpanId ?? "").toBe("");
  expect(second?.status.code).toBe(2);
  expect(plain(sent[0]?.resourceSpans[0]?.resource.attributes ?? [])).toMatchObject({
    "service.name": "kartu",
  });
});

test("sent by itself after a moment, at the address of its traces where that is given", async () => {
  const { url, paths, spans } = collector();
  const tracer = otlpTracer({ endpoint: `${url}/v1/traces`, delayMs: 5 });
  for (let i = 0; i < 700; i++) tracer.request(span());
  while (spans().length < 700) await Bun.sleep(5);
  expect(new Set(paths)).toEqual(new Set(["/v1/traces"]));
  await tracer.close();
});

test("a collector that refuses costs spans, and is told of; calls go on", async () => {
  const { url } = collector(400);
  const lost: number[] = [];
  const tracer = otlpTracer({ endpoint: url, delayMs: 5, onLost: (count) => lost.push(count) });
  tracer.request(span());
  await tracer.close();
  expect(lost).toEqual([1]);
});
