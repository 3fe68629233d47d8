/**
 * A refusal of the operator surface, held against all that every problem document promises: members and
 * their order, headers of its status, the row of its slug.
 */
import { expect } from "bun:test";
import { fieldCodes, problems } from "../../schema/problem.ts";

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly traceId: string;
  readonly errors?: readonly { field: string; message: string; code: string }[];
  readonly retryAfter?: number;
  readonly [member: string]: unknown;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const always = ["type", "title", "status", "detail", "instance", "traceId"];
const rows: Readonly<Record<string, { readonly status: number }>> = problems;

export class Refusal {
  private constructor(
    readonly slug: string,
    readonly body: ProblemBody,
    readonly text: string,
    readonly headers: Headers,
  ) {}

  /** Reads a refusal and proves its form. */
  static async of(response: Response): Promise<Refusal> {
    const { status, headers } = response;
    const text = await response.text();
    expect([status, headers.get("content-type")]).toEqual([status, "application/problem+json"]);
    const body = JSON.parse(text) as ProblemBody;
    const slug = body.type.split("/").at(-1) ?? "";
    expect([slug, status]).toEqual([slug, rows[slug]?.status ?? 0]);
    expect(body.status).toBe(status);
    expect(Object.keys(body).slice(0, always.length)).toEqual(always);
    const words = slug.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
    expect(body.title).toBe(words.join(" "));
    expect(body.detail.length).toBeGreaterThan(0);
    expect(body.instance).toBe(new URL(response.url).pathname);
    const refusal = new Refusal(slug, body, text, headers);
    refusal.#checkHeaders();
    refusal.#checkErrors();
    return refusal;
  }

  /** `400 validation-error` */
  get outcome(): string {
    return `${this.body.status} ${this.slug}`;
  }

  /** `email INVALID_FORMAT` of each error, in order. */
  get errors(): string[] {
    return (this.body.errors ?? []).map(({ field, code }) => `${field} ${code}`);
  }

  #checkHeaders(): void {
    const { headers, body } = this;
    expect(headers.get("x-request-id")).toMatch(uuid);
    expect(body.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(headers.get("x-trace-id")).toBe(body.traceId);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    const challenge = body.status === 401 ? 'Bearer error="invalid_token"' : null;
    expect([this.slug, headers.get("www-authenticate")]).toEqual([this.slug, challenge]);
    const wait = headers.get("retry-after");
    if (body.status === 429 || body.status === 503) expect(wait).toMatch(/^[1-9][0-9]*$/);
    if (body.status === 429) expect(body.retryAfter).toBe(Number(wait));
    else expect(body.retryAfter).toBeUndefined();
  }

  #checkErrors(): void {
    const { errors } = this.body;
    expect([this.slug, errors !== undefined]).toEqual([
      this.slug,
      this.slug === "validation-error",
    ]);
    if (errors === undefined) return;
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(50);
    for (const fault of errors) {
      expect(Object.keys(fault)).toEqual(["field", "message", "code"]);
      expect(fieldCodes as readonly string[]).toContain(fault.code);
      expect(fault.message.length).toBeGreaterThan(0);
    }
  }
}
