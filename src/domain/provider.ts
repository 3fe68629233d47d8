/**
 * Outside sign-in as it is set: which providers there are, each one checked, every fault told. Talking to
 * them is not here.
 */
import { isLoopback, isRedirectUri } from "./redirect.ts";

export interface OidcProvider {
  readonly id: string;
  readonly name: string;
  readonly type: "oidc";
  /** Exactly as its discovery document says it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, by PKCE alone. */
  readonly clientSecret: string | undefined;
  /** Where a sign-in may lead back to. */
  readonly redirectUris: readonly string[];
}

export interface WalletProvider {
  readonly id: string;
  readonly name: string;
  readonly type: "wallet";
}

export type Provider = OidcProvider | WalletProvider;

export type ProvidersResult =
  | { readonly providers: readonly Provider[] }
  | { readonly faults: readonly string[] };

const providersMax = 20;
const textMaxChars = 2_048;
const uriMax = 50;
/** A wallet has no use for the last four, but may carry them. */
const members: ReadonlySet<string> = new Set([
  ...["id", "name", "type", "issuer", "clientId", "clientSecret", "redirectUris"],
]);

/**
 * Reads `[{id, name, type: oidc/wallet, issuer, clientId, clientSecret, redirectUris[]}]`. Faults name the
 * place and never the value, since values may be secret.
 */
export function readProviders(text: string): ProvidersResult {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return { faults: ["must be JSON"] };
  }
  if (!Array.isArray(list) || list.length > providersMax) {
    return { faults: [`must be a list of at most ${providersMax} providers`] };
  }
  const faults: string[] = [];
  const providers: Provider[] = [];
  const seen = new Set<string>();
  for (const [place, entry] of list.entries()) {
    const fault = (message: string): void => void faults.push(`provider ${place + 1}: ${message}`);
    const provider = readProvider(entry, fault);
    if (provider === undefined) continue;
    if (seen.has(provider.id)) fault("its id is taken by one before");
    seen.add(provider.id);
    providers.push(provider);
  }
  return faults.length > 0 ? { faults } : { providers };
}

type Fault = (message: string) => void;
type Entry = Readonly<Record<string, unknown>>;

const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= textMaxChars;

function readProvider(entry: unknown, fault: Fault): Provider | undefined {
  if (!isEntry(entry)) {
    fault("must be an object");
    return undefined;
  }
  const { type } = entry;
  if (type !== "oidc" && type !== "wallet") {
    fault("type must be oidc or wallet");
    return undefined;
  }
  const id = idOf(entry, fault);
  const name = nameOf(entry, fault);
  for (const member of Object.keys(entry)) {
    if (!members.has(member)) fault("it has a member that is none of a provider");
  }
  return type === "wallet" ? { id, name, type } : readOidc(entry, { id, name }, fault);
}

function idOf({ id }: Entry, fault: Fault): string {
  if (typeof id === "string" && /^[a-z0-9][a-z0-9-]{0,31}$/.test(id)) return id;
  fault("id must be 1 to 32 of a-z, 0-9 and -");
  return "";
}

function nameOf({ name }: Entry, fault: Fault): string {
  if (isText(name) && name.length <= 100) return name;
  fault("name must have 1 to 100 characters");
  return "";
}

function readOidc(
  { issuer, clientId, clientSecret, redirectUris = [] }: Entry,
  named: Pick<OidcProvider, "id" | "name">,
  fault: Fault,
): OidcProvider {
  if (!isIssuer(issuer)) fault("issuer must be an https address without query or fragment");
  if (!isText(clientId)) fault("clientId must be text");
  if (clientSecret !== undefined && !isText(clientSecret)) fault("clientSecret must be text");
  const uris: unknown[] = Array.isArray(redirectUris) ? redirectUris : [undefined];
  const areGood = uris.length <= uriMax && uris.every((uri) => isText(uri) && isRedirectUri(uri));
  if (!areGood) fault("redirectUris must be a list of https addresses");
  return {
    ...named,
    type: "oidc",
    issuer: String(issuer),
    clientId: String(clientId),
    clientSecret: isText(clientSecret) ? clientSecret : undefined,
    redirectUris: uris.map(String),
  };
}

/** OpenID Connect Discovery §3: https; http on the machine itself, for trying things out. */
function isIssuer(value: unknown): value is string {
  if (!isText(value)) return false;
  const url = URL.parse(value);
  if (url === null || url.search !== "" || url.hash !== "" || url.username !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
}
