/**
 * Known weaknesses of the packages that come along with the program, as the registry tells them to
 * `bun audit`, and the ones of them that are explained: here is the one place for that. A registry that
 * answers no audit, or none at all, is no finding.
 */
import { root } from "./lock.ts";

interface Explained {
  /** GHSA id. */
  readonly id: string;
  readonly package: string;
  /** Why it does no harm here. */
  readonly why: string;
  /** `YYYY-MM-DD`: after that day it counts again, so that somebody looks anew. */
  readonly until: string;
}

/** Advisories of the level that fails, of which somebody has looked and written down why they may stay. */
export const explained: readonly Explained[] = [];

/** These stop a release; SECURITY.md says within how many days the others are mended. */
const failing: ReadonlySet<string> = new Set(["high", "critical"]);

interface Advisory {
  readonly url: string;
  readonly title: string;
  readonly severity: string;
  readonly vulnerable_versions: string;
}

export interface Audit {
  /** A line each: what fails. */
  readonly findings: readonly string[];
  /** A line each: what is known and does not fail, with the reason. */
  readonly known: readonly string[];
}

const timeoutMs = 20_000;

/**
 * Asks the registry. `today` is `YYYY-MM-DD`. Returns why there is no answer instead, if there is none.
 * @param registry another one than npm's settings name
 */
export async function audit(
  today: string,
  allowed: readonly Explained[],
  registry?: string,
): Promise<Audit | string> {
  const child = Bun.spawn([process.execPath, "audit", "--json", "--production"], {
    ...{ cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    env: { ...process.env, ...(registry !== undefined && { NPM_CONFIG_REGISTRY: registry }) },
    ...{ timeout: timeoutMs, killSignal: "SIGKILL" },
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  const text = stdout.slice(stdout.indexOf("{"));
  if (!text.startsWith("{")) return lastLine(stderr) || "the registry did not answer in time";
  const findings: string[] = [];
  const known: string[] = [];
  for (const [name, advisories] of Object.entries(JSON.parse(text) as Record<string, Advisory[]>)) {
    for (const { url, title, severity, vulnerable_versions: versions } of advisories) {
      const id = url.split("/").at(-1) ?? url;
      const line = `${name} ${versions} ${severity} ${id}: ${title}`;
      const why = allowed.find((each) => each.id === id && each.package === name);
      if (why !== undefined && today <= why.until) known.push(`${line} (${why.why})`);
      else if (failing.has(severity)) findings.push(line);
      else known.push(line);
    }
  }
  return { findings, known };
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";
