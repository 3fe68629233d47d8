/**
 * Every variable of the environment that Kartu reads: name, meaning, parser, default, whether it is
 * secret. Read once at start; all faults are reported together, by name, and a secret's value never.
 * It decides nothing: what a setting does stands with what it sets.
 */
import { type Provider, readProviders } from "./domain/provider.ts";
import { type LogLevel, logLevels } from "./system/log.ts";
import {
  address,
  BadValue,
  type Environment,
  host,
  integer,
  oneOf,
  readVariables,
  text,
  type Values,
  type Variable,
  variable,
  yesOrNo,
} from "./system/variable.ts";

const masterKeyLength = 32;

/** 32 bytes as base64, with or without its last `=`. */
const masterKey = (value: string): Uint8Array => {
  const bytes = Buffer.from(value, "base64");
  const canonical = bytes.toString("base64").replace("=", "");
  if (bytes.length !== masterKeyLength || canonical !== value.replace(/=$/, "")) {
    throw new BadValue(`must be ${masterKeyLength} bytes in base64`);
  }
  return new Uint8Array(bytes);
};

const valkeyUrl = (value: string): string => {
  if (!/^(?:redis|rediss|valkey|valkeys):$/.test(URL.parse(value)?.protocol ?? "")) {
    throw new BadValue("must be a redis, rediss, valkey or valkeys address", true);
  }
  return value;
};

/** Of an SMTP server; whatever else the mail library reads of it stands behind the `?`. */
const smtpAddress = (value: string): string => {
  const url = URL.parse(value);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") {
    throw new BadValue("must be an smtp or smtps address");
  }
  return value;
};

/** `kartu@example.com` or `Kartu <kartu@example.com>`. */
const sender = (value: string): string => {
  if (/^(?:[^\s<>@]+@[^\s<>@]+|[^<>\p{Cc}]*<[^\s<>@]+@[^\s<>@]+>)$/u.test(value)) return value;
  throw new BadValue("must be a mail address, with or without a name before it");
};

/** Origins as a browser writes them: scheme, host and port, nothing else. */
const origins = (value: string): readonly string[] =>
  value.split(",").map((text) => {
    const origin = text.trim();
    const url = URL.parse(origin);
    if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin) {
      throw new BadValue("must be origins such as https://app.example.com, separated by commas");
    }
    return origin;
  });

/** All that is wrong with them at once; never what they say, since a secret is among it. */
const providers = (value: string): readonly Provider[] => {
  const read = readProviders(value);
  if ("faults" in read) throw new BadValue(read.faults.join("; "), true);
  return read.providers;
};

const perMin = integer(0, 1_000_000);
const environments = ["production", "staging", "development"] as const;
const docsModes = ["public", "auth", "off"] as const;

/** In the order of the README's table. */
const table = {
  dataDir: variable("KARTU_DATA", text, "./kartu-data", "directory of database and key"),
  host: variable("KARTU_HOST", host, "127.0.0.1", "address to listen on"),
  port: variable("KARTU_PORT", integer(0, 65_535), 8080, "port to listen on; 0 picks a free one"),
  publicUrl: variable(
    "KARTU_PUBLIC_URL",
    address,
    "",
    "base of links, QR payloads and problem types",
    { shown: "http://<host>:<port>" },
  ),
  env: variable(
    "KARTU_ENV",
    oneOf(...environments),
    "production",
    "production, staging or development: response validation, movable clock",
  ),
  masterKey: variable<Uint8Array | undefined>(
    "KARTU_MASTER_KEY",
    masterKey,
    undefined,
    "32 bytes in base64; seals every stored secret",
    { shown: "file master.key", secret: true },
  ),
  issuer: variable("KARTU_ISSUER", address, "", "issuer of signed tokens", {
    shown: "KARTU_PUBLIC_URL",
  }),
  problemBase: variable("KARTU_PROBLEM_BASE", address, "", "base of the `type` of problems", {
    shown: "<KARTU_PUBLIC_URL>/problems",
  }),
  docs: variable(
    "KARTU_DOCS",
    oneOf(...docsModes),
    "public",
    "API pages: public, auth (with a token) or off",
  ),
  corsOrigins: variable<readonly string[]>(
    "KARTU_CORS_ORIGINS",
    origins,
    [],
    "origins whose pages may call the operator surface, exact, separated by commas",
    { shown: "empty" },
  ),
  trustProxyHops: variable(
    "KARTU_TRUST_PROXY",
    integer(0, 16),
    0,
    "hops of `X-Forwarded-For` to believe",
  ),
  registration: variable(
    "KARTU_REGISTRATION",
    oneOf("open", "closed"),
    "closed",
    "open or closed: whether anybody may register and gets a tenant",
  ),
  verifiedEmailDue: variable<boolean | undefined>(
    "KARTU_REQUIRE_VERIFIED_EMAIL",
    yesOrNo,
    undefined,
    "whether only users with a verified email change balances",
    { shown: "true if SMTP is set, else false" },
  ),
  providers: variable<readonly Provider[]>(
    "KARTU_PROVIDERS",
    providers,
    [],
    "sign-in elsewhere: a JSON list of `{id, name, type: oidc/wallet, issuer, clientId, clientSecret, redirectUris}`",
    { secret: true, shown: "[]" },
  ),
  tokenTtlSec: variable(
    "KARTU_TOKEN_TTL",
    integer(1, 315_360_000),
    31_536_000,
    "life of device tokens in seconds (one year)",
  ),
  ratePerMin: variable("KARTU_RATE_PER_MIN", perMin, 1000, "requests of one tenant; 0: no limit"),
  rateAdminPerMin: variable(
    "KARTU_RATE_ADMIN_PER_MIN",
    perMin,
    5000,
    "requests of one tenant's owner and admins, counted apart",
  ),
  rateIpPerMin: variable("KARTU_RATE_IP_PER_MIN", perMin, 6000, "requests of one client address"),
  rateAuthPerMin: variable(
    "KARTU_RATE_AUTH_PER_MIN",
    perMin,
    10,
    "sign-ins of one client address, of all kinds together",
  ),
  rateRefreshPerMin: variable(
    "KARTU_RATE_REFRESH_PER_MIN",
    perMin,
    60,
    "token refreshes of one client address",
  ),
  rateDeviceTokenPerMin: variable(
    "KARTU_RATE_DEVICE_TOKEN_PER_MIN",
    perMin,
    5,
    "commissioning calls of one device",
  ),
  rateDeviceTokenIpPerMin: variable(
    "KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN",
    perMin,
    30,
    "commissioning calls of one client address",
  ),
  rateGrantPerMin: variable("KARTU_RATE_GRANT_PER_MIN", perMin, 10, "session grants of one device"),
  rateDevicePerMin: variable(
    "KARTU_RATE_DEVICE_PER_MIN",
    perMin,
    600,
    "reads and reconciliations of one device",
  ),
  rateReportPerMin: variable("KARTU_RATE_REPORT_PER_MIN", perMin, 60, "reports of one device"),
  bodyLimitBytes: variable(
    "KARTU_BODY_LIMIT_BYTES",
    integer(1024, 2 ** 30),
    1_048_576,
    "largest request body",
  ),
  batchLimitBytes: variable(
    "KARTU_BATCH_LIMIT_BYTES",
    integer(1024, 2 ** 30),
    8_388_608,
    "largest request body of a batch of the operator surface",
  ),
  valkeyUrl: variable(
    "KARTU_VALKEY_URL",
    valkeyUrl,
    "",
    "Valkey or Redis that counts the limits for several processes, `redis://user:pass@host:port`",
    { secret: true, shown: "empty" },
  ),
  metricsToken: variable(
    "KARTU_METRICS_TOKEN",
    text,
    "",
    "bearer token for `/metrics`; without one, loopback alone may read it",
    { secret: true, shown: "empty" },
  ),
  otlpEndpoint: variable(
    "KARTU_OTLP_ENDPOINT",
    address,
    "",
    "collector that gets a trace span a request, by OTLP over HTTP",
    { shown: "empty" },
  ),
  smtpUrl: variable<string | undefined>(
    "KARTU_SMTP_URL",
    smtpAddress,
    undefined,
    "`smtps://user:password@host:port` that letters go out by; empty: files below the data",
    { shown: "empty", secret: true },
  ),
  mailFrom: variable("KARTU_MAIL_FROM", sender, "kartu@localhost", "sender of letters"),
  logLevel: variable<LogLevel>(
    "KARTU_LOG_LEVEL",
    oneOf(...logLevels),
    "info",
    "debug, info, warn or error",
  ),
  logJson: variable("KARTU_LOG_JSON", yesOrNo, true, "one JSON object a line; false: for people"),
  shutdownTimeoutSec: variable(
    "KARTU_SHUTDOWN_TIMEOUT_SEC",
    integer(0, 3600),
    10,
    "seconds to finish what runs when stopped",
  ),
};

/** The settings, parsed; `publicUrl`, `issuer` and `problemBase` are never empty. */
export type Config = Values<typeof table>;
export type ConfigResult =
  | { readonly config: Config; readonly warnings: readonly string[] }
  | { readonly faults: readonly string[] };

const originOf = (hostName: string, port: number): string =>
  `http://${hostName.includes(":") ? `[${hostName}]` : hostName}:${port}`;

const withAddresses = (config: Config): Config => {
  const publicUrl = config.publicUrl || originOf(config.host, config.port);
  const issuer = config.issuer || publicUrl;
  return {
    ...config,
    publicUrl,
    issuer,
    problemBase: config.problemBase || `${publicUrl}/problems`,
  };
};

/**
 * The settings from `env`, or all that is wrong with it, a line each. Options of the command line
 * win when their text replaces the variable's in `env`.
 */
export const readConfig = (env: Environment): ConfigResult => {
  const read = readVariables(table, env);
  if ("faults" in read) return read;
  return { config: withAddresses(read.values), warnings: read.warnings };
};

/** `config` once the port is known that a `port` of 0 was bound to: addresses not set follow it. */
export const onPort = (config: Config, port: number): Config => {
  if (config.port === port) return config;
  const standIn = originOf(config.host, config.port);
  const { publicUrl, issuer, problemBase } = config;
  return withAddresses({
    ...config,
    port,
    publicUrl: publicUrl === standIn ? "" : publicUrl,
    issuer: issuer === standIn ? "" : issuer,
    problemBase: problemBase === `${standIn}/problems` ? "" : problemBase,
  });
};

/** The table as rows of markdown: name († secret), default, meaning. */
export const configRows = (): string[] =>
  Object.values<Variable<unknown>>(table).map(({ name, fallback, shown, secret, meaning }) => {
    const byDefault = shown ?? String(fallback);
    return `| \`${name}\`${secret ? " †" : ""} | \`${byDefault}\` | ${meaning} |`;
  });
