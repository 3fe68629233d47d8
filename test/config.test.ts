/** Settings: defaults, every parser on both sides of its limits, faults all at once, no secret shown. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Config, configRows, onPort, readConfig } from "../src/config.ts";

const good = (env: Record<string, string | undefined> = {}): Config => {
  const result = readConfig(env);
  if ("faults" in result) throw new Error(result.faults.join("\n"));
  return result.config;
};

const faultsOf = (env: Record<string, string | undefined>): readonly string[] => {
  const result = readConfig(env);
  return "faults" in result ? result.faults : [];
};

const keyBytes = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const key = Buffer.from(keyBytes).toString("base64");

describe("defaults", () => {
  test("an empty environment is the table's second column", () => {
    expect(good()).toEqual({
      dataDir: "./kartu-data",
      host: "127.0.0.1",
      port: 8080,
      publicUrl: "http://127.0.0.1:8080",
      env: "production",
      masterKey: undefined,
      issuer: "http://127.0.0.1:8080",
      problemBase: "http://127.0.0.1:8080/problems",
      docs: "public",
      corsOrigins: [],
      trustProxyHops: 0,
      registration: "closed",
      verifiedEmailDue: undefined,
      providers: [],
      tokenTtlSec: 31_536_000,
      ratePerMin: 1000,
      rateAdminPerMin: 5000,
      rateIpPerMin: 6000,
      rateAuthPerMin: 10,
      rateRefreshPerMin: 60,
      rateDeviceTokenPerMin: 5,
      rateDeviceTokenIpPerMin: 30,
      rateGrantPerMin: 10,
      rateDevicePerMin: 600,
      rateReportPerMin: 60,
      bodyLimitBytes: 1_048_576,
      batchLimitBytes: 8_388_608,
      valkeyUrl: "",
      metricsToken: "",
      otlpEndpoint: "",
      smtpUrl: undefined,
      mailFrom: "kartu@localhost",
      logLevel: "info",
      logJson: true,
      shutdownTimeoutSec: 10,
    });
  });

  test("an empty value counts as absent", () => {
    expect(good({ KARTU_PORT: "", KARTU_LOG_LEVEL: "", KARTU_MASTER_KEY: undefined })).toEqual(
      good(),
    );
  });

  test("variables of others are not looked at", () => {
    expect(good({ PATH: "/bin", KARTUX: "1", MY_KARTU_PORT: "x" })).toEqual(good());
  });
});

describe("addresses", () => {
  const cases: [string, Record<string, string>, Partial<Config>][] = [
    [
      "issuer and problem types follow the public address",
      { KARTU_PUBLIC_URL: "https://pay.example/" },
      {
        publicUrl: "https://pay.example",
        issuer: "https://pay.example",
        problemBase: "https://pay.example/problems",
      },
    ],
    [
      "each can be set by itself",
      { KARTU_ISSUER: "https://id.example/x", KARTU_PROBLEM_BASE: "https://doc.example/p/" },
      {
        publicUrl: "http://127.0.0.1:8080",
        issuer: "https://id.example/x",
        problemBase: "https://doc.example/p",
      },
    ],
    [
      "an IPv6 address stands in brackets",
      { KARTU_HOST: "::1", KARTU_PORT: "81" },
      { host: "::1", publicUrl: "http://[::1]:81" },
    ],
    ["brackets may be given", { KARTU_HOST: "[::1]" }, { host: "::1" }],
  ];
  for (const [name, env, part] of cases) {
    test(name, () => expect(good(env)).toMatchObject(part));
  }

  test("what follows from port 0 is put right once the port is known", () => {
    const followed = onPort(good({ KARTU_PORT: "0" }), 49152);
    expect(followed).toEqual(good({ KARTU_PORT: "49152" }));
    const set = { KARTU_PORT: "0", KARTU_PUBLIC_URL: "https://pay.example" };
    expect(onPort(good(set), 49152)).toEqual(good({ ...set, KARTU_PORT: "49152" }));
    const issuer = { KARTU_PORT: "0", KARTU_ISSUER: "https://id.example" };
    expect(onPort(good(issuer), 49152)).toEqual(good({ ...issuer, KARTU_PORT: "49152" }));
  });
});

describe("values", () => {
  const accepted: [string, string, keyof Config, unknown][] = [
    ["KARTU_PORT", "0", "port", 0],
    ["KARTU_PORT", "65535", "port", 65535],
    ["KARTU_ENV", "development", "env", "development"],
    ["KARTU_DOCS", "off", "docs", "off"],
    ["KARTU_TRUST_PROXY", "16", "trustProxyHops", 16],
    ["KARTU_TOKEN_TTL", "1", "tokenTtlSec", 1],
    ["KARTU_RATE_IP_PER_MIN", "0", "rateIpPerMin", 0],
    ["KARTU_BODY_LIMIT_BYTES", "1024", "bodyLimitBytes", 1024],
    ["KARTU_BATCH_LIMIT_BYTES", "1024", "batchLimitBytes", 1024],
    [
      "KARTU_CORS_ORIGINS",
      "https://a.example, http://b.example:8080",
      "corsOrigins",
      ["https://a.example", "http://b.example:8080"],
    ],
    ["KARTU_LOG_LEVEL", "debug", "logLevel", "debug"],
    ["KARTU_LOG_JSON", "false", "logJson", false],
    [
      "KARTU_SMTP_URL",
      "smtps://me:pw@mail.example:465",
      "smtpUrl",
      "smtps://me:pw@mail.example:465",
    ],
    ["KARTU_MAIL_FROM", "Kartu <k@pay.example>", "mailFrom", "Kartu <k@pay.example>"],
    ["KARTU_MASTER_KEY", key, "masterKey", keyBytes],
    ["KARTU_MASTER_KEY", key.slice(0, 43), "masterKey", keyBytes],
    ["KARTU_DATA", "/var/lib/kartu data", "dataDir", "/var/lib/kartu data"],
  ];
  for (const [name, value, field, parsed] of accepted) {
    test(`${name}=${value} is taken`, () =>
      expect<unknown>(good({ [name]: value })[field]).toEqual(parsed));
  }

  const refused: [string, string][] = [
    ["KARTU_PORT", "65536"],
    ["KARTU_PORT", "-1"],
    ["KARTU_PORT", "80.5"],
    ["KARTU_PORT", "0x50"],
    ["KARTU_PORT", "080"],
    ["KARTU_PORT", " 80"],
    ["KARTU_PORT", "1e3"],
    ["KARTU_HOST", "http://here"],
    ["KARTU_DATA", "a\nb"],
    ["KARTU_ENV", "prod"],
    ["KARTU_DOCS", "PUBLIC"],
    ["KARTU_TRUST_PROXY", "17"],
    ["KARTU_TOKEN_TTL", "0"],
    ["KARTU_RATE_GRANT_PER_MIN", "1000001"],
    ["KARTU_BODY_LIMIT_BYTES", "1023"],
    ["KARTU_CORS_ORIGINS", "*"],
    ["KARTU_CORS_ORIGINS", "https://a.example/"],
    ["KARTU_CORS_ORIGINS", "https://a.example,,https://b.example"],
    ["KARTU_CORS_ORIGINS", "a.example"],
    ["KARTU_PUBLIC_URL", "pay.example"],
    ["KARTU_PUBLIC_URL", "ftp://pay.example"],
    ["KARTU_PUBLIC_URL", "https://pay.example/?a=1"],
    ["KARTU_SMTP_URL", "https://mail.example"],
    ["KARTU_SMTP_URL", "smtp://"],
    ["KARTU_MAIL_FROM", "nobody"],
    ["KARTU_MAIL_FROM", "a@b.c\nBcc: x@y.z"],
    ["KARTU_LOG_JSON", "yes"],
    ["KARTU_LOG_LEVEL", "trace"],
    ["KARTU_SHUTDOWN_TIMEOUT_SEC", "3601"],
  ];
  for (const [name, value] of refused) {
    test(`${name}=${JSON.stringify(value)} is refused by name`, () => {
      const faults = faultsOf({ [name]: value });
      expect(faults).toHaveLength(1);
      expect(faults[0]).toStartWith(`${name}: must be `);
    });
  }
});

describe("faults", () => {
  test("all are told at once, in the order of the table", () => {
    const faults = faultsOf({
      KARTU_LOG_LEVEL: "loud",
      KARTU_PORT: "x",
      KARTU_MASTER_KEY: "short",
    });
    expect(faults).toEqual([
      'KARTU_PORT: must be a whole number from 0 to 65535, not "x"',
      "KARTU_MASTER_KEY: must be 32 bytes in base64 (the value is not shown)",
      'KARTU_LOG_LEVEL: must be one of debug, info, warn, error, not "loud"',
    ]);
  });

  const hints: [string, string][] = [
    ["KARTU_PUBLIC_ULR", "; did you mean KARTU_PUBLIC_URL?"],
    ["KARTU_RATE_DEVICE_PER_MINUTE", "; did you mean KARTU_RATE_DEVICE_PER_MIN?"],
    ["kartu_data", "; did you mean KARTU_DATA?"],
    ["KARTU_SOMETHING_ELSE", ""],
  ];
  for (const [name, hint] of hints) {
    test(`${name} is warned of, and stops nothing`, () => {
      const read = readConfig({ [name]: "value-of-it" });
      expect("warnings" in read && read.warnings).toEqual([
        `${name} is no setting of this version${hint}`,
      ]);
    });
  }

  test("no value of a secret is ever in a fault", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 60 }), (secret) => {
        const said = faultsOf({ KARTU_MASTER_KEY: secret }).join("\n");
        expect(said.includes(secret)).toBe(false);
      }),
    );
  });

  test("nor is an address with a password in it", () => {
    const [fault] = faultsOf({ KARTU_PUBLIC_URL: "https://me:hunter2@pay.example" });
    expect(fault).toContain("KARTU_PUBLIC_URL");
    expect(fault).not.toContain("hunter2");
  });

  test("a key of the wrong length or alphabet is refused", () => {
    const keys = [
      key.slice(0, 42),
      `${key}A`,
      key.replaceAll("/", "_").replaceAll("+", "-"),
      `${key}\n`,
    ];
    for (const bad of keys) expect(faultsOf({ KARTU_MASTER_KEY: bad })).toHaveLength(1);
  });

  test("providers: every fault of the list in one line, and nothing of what it says", () => {
    const bad = [{ id: "A", type: "oidc", clientSecret: "top-secret" }, "top-secret"];
    const faults = faultsOf({ KARTU_PROVIDERS: JSON.stringify(bad) });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toStartWith("KARTU_PROVIDERS: provider 1: id must be");
    expect(faults[0]).toContain("; provider 2: must be an object (the value is not shown)");
    expect(faults[0]).not.toContain("top-secret");
    const wallet = { id: "wallet", name: "Wallet", type: "wallet" } as const;
    expect(good({ KARTU_PROVIDERS: JSON.stringify([wallet]) }).providers).toEqual([wallet]);
  });

  test("a long value is cut", () => {
    expect(faultsOf({ KARTU_PORT: "9".repeat(5000) })[0]?.length).toBeLessThan(200);
  });
});

test("the table for the README has one row a variable and marks the secret", () => {
  const rows = configRows();
  expect(rows).toHaveLength(Object.keys(good()).length);
  expect(rows[0]).toBe("| `KARTU_DATA` | `./kartu-data` | directory of database and key |");
  expect(rows.filter((row) => row.includes("†")).map((row) => row.split("`")[1])).toEqual([
    "KARTU_MASTER_KEY",
    "KARTU_PROVIDERS",
    "KARTU_VALKEY_URL",
    "KARTU_METRICS_TOKEN",
    "KARTU_SMTP_URL",
  ]);
  for (const row of rows) expect(row).toMatch(/^\| `KARTU_[A-Z_]+`( †)? \| `[^`]+` \| .+ \|$/);
});
