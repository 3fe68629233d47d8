/** `kartu openapi`: prints the document of a namespace. Needs no data directory. */
import type { Command } from "commander";
import { compose } from "../compose.ts";
import { documentsOf } from "../documents.ts";
import { gatewayService } from "../feature/gateway/service.ts";
import { StreamCounts } from "../http/platform/stream.ts";
import { Tickets } from "../http/platform/ticket.ts";
import { routesOf } from "../routes.ts";
import type { Store } from "../store/seam.ts";
import { createMetrics } from "../system/metrics.ts";
import { type Context, contextOf, UsageError } from "./context.ts";

const nowhere = (): Promise<never> =>
  Promise.reject(new Error("a document is made without a store"));
const nothing = () => Promise.resolve();
const noStore: Store = {
  ...{ read: nowhere, write: nowhere, keep: () => undefined },
  ...{ settle: nothing, close: nothing },
};

/** The documents of a server with these settings; nothing behind its calls is there. */
function documents({ config, random, clock, log }: Context) {
  const publicUrl = () => config.publicUrl;
  const masterKey = new Uint8Array(32);
  const services = compose({ store: noStore, masterKey, random, config, publicUrl });
  const { audit, event } = services;
  const gateway = gatewayService({
    ...{ store: noStore, random, audit, event, clock, log },
    queue: { depth: 0 },
    frozen: { put: nowhere, fix: nowhere, read: nowhere },
    documents: new Map(),
    isLimitable: () => false,
    disk: nowhere,
    parts: {},
    isStopping: () => false,
  });
  const routes = routesOf(services, config, {
    ...{ gateway, admit: nowhere, advance: nowhere },
    tickets: new Tickets(random),
    stream: { streams: new StreamCounts(), clock, reportFault: () => undefined },
    verifiedEmailDue: false,
    metrics: createMetrics(),
    startedMs: 0,
    problemBase: () => config.problemBase,
  });
  return documentsOf(services, routes, config.publicUrl);
}

export function addOpenapi(program: Command): void {
  program
    .command("openapi [namespace]")
    .description("print the OpenAPI document of a namespace")
    .action((namespace: string | undefined, _: unknown, command: Command) => {
      const made = documents(contextOf(command));
      const wanted = namespace ?? made[0]?.namespace;
      const found = made.find((each) => each.namespace === wanted);
      if (found === undefined) {
        const names = made.map((each) => each.namespace).join(", ");
        throw new UsageError(`there is no document ${wanted}; there is ${names}`);
      }
      process.stdout.write(`${found.json}\n`);
    });
}
