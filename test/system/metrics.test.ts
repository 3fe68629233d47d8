/** The metrics as Prometheus reads them: what is counted, and its own checker's word on the text. */
import { describe, expect, test } from "bun:test";
import { createMetrics } from "../../src/system/metrics.ts";

const promtool = Bun.which("promtool");

const filled = () => {
  const metrics = createMetrics();
  const call = { surface: "platform", route: "/users/:id", method: "GET", tookMs: 3 } as const;
  metrics.served({ ...call, status: 200 });
  metrics.served({ ...call, status: 200, tookMs: 40 });
  metrics.served({ ...call, status: 404 });
  metrics.served({ ...call, surface: "terminal", route: "/api/card/:cardId", status: 200 });
  metrics.rateLimited("local");
  metrics.delivered("failed");
  metrics.breaker("crm", "open");
  metrics.alerted("limiter");
  let depth = 7;
  metrics.watch("kartu_write_queue_depth", "Writes that wait.", () => depth);
  return {
    metrics,
    setDepth: (to: number) => {
      depth = to;
    },
  };
};

describe("counted", () => {
  test("calls by surface, pattern, method and status, and their times", async () => {
    const text = await filled().metrics.text();
    const labels = 'surface="platform",route="/users/:id",method="GET"';
    for (const line of [
      `kartu_http_requests_total{${labels},status="200"} 2`,
      `kartu_http_requests_total{${labels},status="404"} 1`,
      'kartu_http_requests_total{surface="terminal",route="/api/card/:cardId",method="GET",status="200"} 1',
      `kartu_http_request_seconds_bucket{le="0.005",${labels}} 2`,
      `kartu_http_request_seconds_count{${labels}} 3`,
      'kartu_rate_limited_total{layer="local"} 1',
      'kartu_rate_limited_total{layer="global"} 0',
      'kartu_webhook_deliveries_total{result="failed"} 1',
      'kartu_alerts_total{kind="limiter"} 1',
      'circuit_breaker_state{module="crm"} 2',
      "kartu_write_queue_depth 7",
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  });

  test("a watched value is read when the text is", async () => {
    const { metrics, setDepth } = filled();
    await metrics.text();
    setDepth(3);
    expect(await metrics.text()).toMatch(/^kartu_write_queue_depth 3$/m);
  });

  test("every label is of the closed list: none names a tenant, a person or an address", async () => {
    const own = (await filled().metrics.text())
      .split("\n")
      .filter((line) => /^(kartu_|circuit_)/.test(line));
    const labels = new Set(own.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map((m) => m[1])));
    expect([...labels].sort()).toEqual([
      ...["kind", "layer", "le", "method", "module"],
      ...["result", "route", "status", "surface"],
    ]);
  });
});

if (promtool !== null) {
  test("promtool finds nothing wrong with the text", async () => {
    const child = Bun.spawn([promtool, "check", "metrics"], {
      stdin: new Blob([await filled().metrics.text()]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    expect({ said, code: await child.exited }).toEqual({ said: ["", ""], code: 0 });
  });
} else if (process.env.CI === "true") {
  test("there is a promtool", () => expect(promtool).not.toBeNull());
} else test.skip("not run: no promtool on this machine", () => undefined);
