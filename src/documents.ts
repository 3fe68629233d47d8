/** The documents of what is served: one a namespace, and one whole for each version that may end. */
import type { Services } from "./compose.ts";
import type { ApiDocument } from "./feature/gateway/service.ts";
import { openapiDocument } from "./http/openapi.ts";
import { type DocumentPage, documentPage } from "./http/pages.ts";
import { documentOf, platformDocuments } from "./http/platform/openapi.ts";
import type { PlatformRoute } from "./http/platform/route.ts";
import { namespaces, wholePlatform } from "./platform.ts";
import { kartuVersion } from "./system/version.ts";
import { terminalRoutes, terminalTags } from "./terminal.ts";

const terminalTitle = "Kartu terminal API";

const terminalDocument = (services: Services, serverUrl: string) =>
  openapiDocument(
    {
      title: terminalTitle,
      version: kartuVersion,
      description: "What stations, gates, terminals and scouts call.",
      serverUrl,
      tags: terminalTags,
    },
    terminalRoutes(services),
  );

/** By namespace, the device surface first. */
export function documentsOf(
  services: Services,
  routes: readonly PlatformRoute[],
  serverUrl: string,
): readonly DocumentPage[] {
  const summary = "Commissioning, grants, cards, reconciliation.";
  const terminal = documentPage({ namespace: "terminal", title: terminalTitle, summary }, () =>
    terminalDocument(services, serverUrl),
  );
  return [terminal, ...platformDocuments(namespaces, routes, { version: kartuVersion, serverUrl })];
}

/** The whole of each version, made when it is asked for; 0 is the device surface. */
export const versionDocuments = (
  services: Services,
  routes: () => readonly PlatformRoute[],
  serverUrl: () => string,
): ReadonlyMap<number, () => ApiDocument> =>
  new Map([
    [0, () => terminalDocument(services, serverUrl()) as unknown as ApiDocument],
    [
      1,
      () => {
        const options = { version: kartuVersion, serverUrl: serverUrl() };
        return documentOf(wholePlatform, routes(), options) as unknown as ApiDocument;
      },
    ],
  ]);
