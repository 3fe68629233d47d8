/** How the parts of the server are: the shape of an answer, and what the parts make of the whole. */
export type HealthStatus = "ok" | "degraded" | "error";

export interface ComponentHealth {
  readonly name: string;
  readonly status: HealthStatus;
  readonly latencyMs: number;
  readonly detail: string | null;
}

/** As bad as the worst part. */
export function healthOf(components: readonly ComponentHealth[]): HealthStatus {
  if (components.some(({ status }) => status === "error")) return "error";
  return components.some(({ status }) => status === "degraded") ? "degraded" : "ok";
}
