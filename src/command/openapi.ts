/** `kartu openapi`: prints the document of a namespace. Needs no data directory. */
import type { Command } from "commander";
import { compose, documentsOf } from "../app.ts";
import type { Store } from "../store/seam.ts";
import { contextOf, UsageError } from "./context.ts";

const nowhere = (): Promise<never> =>
  Promise.reject(new Error("a document is made without a store"));
const noStore: Store = { read: nowhere, write: nowhere, close: () => Promise.resolve() };

export function addOpenapi(program: Command): void {
  program
    .command("openapi [namespace]")
    .description("print the OpenAPI document of a namespace")
    .action((namespace: string | undefined, _: unknown, command: Command) => {
      const { config, random } = contextOf(command);
      const publicUrl = () => config.publicUrl;
      const masterKey = new Uint8Array(32);
      const services = compose({ store: noStore, masterKey, random, config, publicUrl });
      const documents = documentsOf(services, config.publicUrl);
      const wanted = namespace ?? documents[0]?.namespace;
      const found = documents.find((each) => each.namespace === wanted);
      if (found === undefined) {
        const names = documents.map((each) => each.namespace).join(", ");
        throw new UsageError(`there is no document ${wanted}; there is ${names}`);
      }
      process.stdout.write(`${found.json}\n`);
    });
}
