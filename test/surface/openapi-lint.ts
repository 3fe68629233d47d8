/** Runs Redocly's linter over a document, without a word to anyone outside this machine. */
import { join } from "node:path";

interface LintProblem {
  ruleId: string;
  severity: string;
  message: string;
  location: { pointer?: string }[];
}

/** Errors and warnings, one line each. @param directory for the files handed over. */
export async function lint(document: unknown, directory: string): Promise<string[]> {
  const file = join(directory, "openapi.json");
  await Bun.write(file, JSON.stringify(document));
  const cli = Bun.fileURLToPath(import.meta.resolve("@redocly/cli/bin/cli.js"));
  const run = Bun.spawn(
    [process.execPath, cli, "lint", file, "--format=json", "--extends=recommended"],
    {
      cwd: directory,
      env: {
        ...process.env,
        CI: "true",
        REDOCLY_TELEMETRY: "off",
        REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
      },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  const start = out.indexOf("{");
  if (start < 0) throw new Error(`the linter said nothing: ${err}`);
  const { problems } = JSON.parse(out.slice(start)) as { problems: LintProblem[] };
  return problems.map(
    ({ severity, ruleId, message, location }) =>
      `${severity} ${ruleId} ${location[0]?.pointer ?? ""}: ${message}`,
  );
}
