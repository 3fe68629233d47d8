/**
 * Having an operation done: a reading one on the file itself; a writing one by the live server of the
 * directory, or here under the directory's lock when there is none. The lock alone says whether there
 * is one: a socket file left behind by a killed server is refused at the first try, and passed over.
 */
import { openKartu } from "../app.ts";
import { DirectoryLocked } from "../store/lock.ts";
import { CommandFailed, type Context, UsageError } from "./context.ts";
import { isInitialised } from "./init.ts";
import {
  type ArgsOf,
  type Operation,
  type OperationName,
  operationFor,
  type ResultOf,
  type Tell,
} from "./operation.ts";
import { reading } from "./reading.ts";
import { askServer } from "./socket.ts";

/** How long a directory may be held by something that does not answer: another command, a stopping server. */
const patienceMs = 15_000;
const retryMs = 50;

const silent: Tell = () => undefined;

/**
 * @throws UsageError the arguments are not of the operation's shape, or DIR is not initialised; what the
 * operation throws
 */
export async function perform<N extends OperationName>(
  context: Context,
  name: N,
  args: ArgsOf<N>,
  tell: Tell = silent,
): Promise<ResultOf<N>> {
  const operation = operationFor(name, args);
  assertInitialised(context);
  const result = operation.reads
    ? await reading(context, (host) => operation.run(host, args as never, tell))
    : await writing(context, name, operation, args, tell);
  return result as ResultOf<N>;
}

export function assertInitialised({ dataDir }: Pick<Context, "dataDir">): void {
  if (isInitialised({ dataDir })) return;
  throw new UsageError(
    `${dataDir} holds no data of Kartu: run \`kartu init --data ${dataDir}\` first`,
  );
}

async function writing(
  context: Context,
  name: string,
  operation: Operation,
  args: unknown,
  tell: Tell,
): Promise<unknown> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const answer = await askServer(context.dataDir, { command: name, args }, tell);
    if (answer !== undefined) return answer.result;
    try {
      return await here(context, operation, args, tell);
    } catch (error) {
      if (!(error instanceof DirectoryLocked)) throw error;
      if (performance.now() > untilMs) {
        throw new CommandFailed(`${error.message}, and it does not answer; try again`);
      }
    }
    await Bun.sleep(retryMs);
  }
}

async function here(
  context: Context,
  operation: Operation,
  args: unknown,
  tell: Tell,
): Promise<unknown> {
  const { dataDir, config, clock, random, log } = context;
  const kartu = await openKartu({ dataDir, config, clock, random, log });
  try {
    return await operation.run(kartu, args as never, tell);
  } finally {
    await kartu.close();
  }
}
