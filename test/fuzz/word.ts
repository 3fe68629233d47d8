/**
 * Texts, headers, paths and queries that have made servers stumble: short lists of our own, each entry
 * for one trap. `canary` is in all that is wrong, and must never come back.
 */
import { startSec } from "../caller.ts";

export const canary = "Kanari3NeverEchoed";
/** The name of a member or parameter that nobody knows: problems name those. */
export const unknownName = "kanariName";
/** In names of the tenant that nobody here belongs to: whoever is shown it was shown too much. */
export const marker = "OnlyTheWitness7f3a";

/** Strings that are text. */
export const naughty: readonly string[] = [
  `${canary}' OR 1=1; DROP TABLE wallet; --`,
  `${canary}"><script>alert(1)</script>`,
  `../../../../etc/passwd/${canary}`,
  `${canary}\${7*7}{{7*7}}<%= 7 %>`,
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "null",
  "true",
  "0",
  "-1",
  "NaN0",
  " ",
  `  ${canary}  `,
  "\u202e\u2066right to left",
  "\u0645\u0631\u062d\u0628\u0627",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}",
  "\u{1f1ee}\u{1f1e9}",
  "\u200b\ufeff",
  "e\u0301\u0302\u0303\u0304\u0305\u0306\u0307",
  "\u00df\u0130\u0131\u01c5",
  "\uffff\ufdd0",
  `a\tb\nc\rd${canary}`,
  "\u007f\u0085\u2028\u2029",
  "%s%n%x%p",
  "%00%0d%0aSet-Cookie:x=1",
  "=cmd|'/C calc'!A0",
  "1e400",
  "\u{10ffff}",
];

/** JSON texts of strings that are no text, or that few readers agree on. */
export const noText: readonly string[] = [
  `"${canary}\\u0000"`,
  '"\\ud83d"',
  `"\\ude00${canary}"`,
  '"\\ud83d\\ud83d"',
  '"\\u0000"',
];

/** JSON texts of numbers that are no whole number within bounds. */
export const oddNumbers: readonly string[] = [
  ...["9007199254740992", "9007199254740993", "-9007199254740993", "18446744073709551616"],
  ...["1e400", "-1e400", "1.5", "1.0", "-0", "-0.0", "1e2", "1E2", "0.1e1", "2147483648"],
  ...["4294967296", "-2147483649", "-1", "0", `1${"0".repeat(400)}`, "1e-400", "5e-324"],
];

/** Values of any type in place of another. */
export const anything: readonly string[] = [
  ...["null", "true", "false", '""', "[]", "{}", "0", `"${canary}"`, `["${canary}"]`, "[[]]"],
  ...[`{"${unknownName}":1}`, '{"__proto__":{"isOwner":true}}', '{"constructor":{"prototype":{}}}'],
  ...['{"length":1}', '{"toString":null}', '{"toJSON":1}', "[null]", '"1"', '"true"', '"null"'],
];

/** What is no JSON, or JSON that readers differ on; `{}` is a right body in them. */
export const brokenTexts: readonly ((right: string) => string)[] = [
  (right) => right.slice(0, -1),
  (right) => right.slice(0, Math.floor(right.length / 2)),
  (right) => `${right}${right}`,
  (right) => `${right},`,
  (right) => `[${right}]`,
  (right) => `${right}\u0000`,
  (right) => `\ufeff${right}`,
  (right) => ` \t\r\n${right}\n`,
  (right) => `\u00a0${right}`,
  (right) => `${right}//${canary}`,
  (right) => right.replace(/}$/, ",}"),
  (right) => right.replaceAll('"', "'"),
  (right) => right.replace(/:/, ":+"),
  (right) => right.replace(/(-?\d+)(?=[,}])/, "0$1"),
  (right) => right.replace(/(-?\d+)(?=[,}])/, "$1."),
  (right) => right.replace(/^\{/, `{"${unknownName}":NaN,`),
  (right) => right.replace(/^\{/, `{"${unknownName}":Infinity,`),
  (right) => right.replace(/^\{/, `{"__proto__":{"${unknownName}":1},`),
  (right) => right.replace(/^\{/, `{"constructor":{"prototype":{"${unknownName}":1}},`),
  (right) => right.replace(/^\{/, `{"":1,`),
  () => "",
  () => " ",
  () => "null",
  () => "[]",
  () => "0",
  () => `"${canary}"`,
  () => "undefined0",
  () => `{"${unknownName}"}`,
  () => '{"a":1,"a":2}',
  () => '{"a":1,"\\u0061":2}',
  () => `{"${"x".repeat(70_000)}":1}`,
  ...[31, 32, 33, 64, 1_000, 100_000].flatMap((depth) => [
    () => "[".repeat(depth),
    () => "[".repeat(depth) + "]".repeat(depth),
    () => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
    (right: string) =>
      right.replace(/^\{/, `{"deep":${"[".repeat(depth)}${"]".repeat(depth)},`).replace(",}", "}"),
  ]),
];

const long = (count: number): string => "x".repeat(count);
const uuid = "0195d1f0-7d5c-4b3a-8a55-1f0e2d3c4b5a";

/** Headers, each a trap for whoever reads it. Values keep to ISO 8859-1, since no other can be sent. */
export const oddHeaders: readonly (readonly [name: string, value: string])[] = [
  ...[
    ...[
      "",
      "Bearer",
      "Bearer ",
      "bearer x",
      "Basic cm9vdDpyb290",
      `Bearer ${canary}`,
      "Bearer a b",
    ],
    ...[
      "Bearer kt_",
      `Bearer kt_${"A".repeat(43)}`,
      `Bearer ${long(9_000)}`,
      "Bearer null, Bearer x",
    ],
    ...[
      "Bearer eyJhbGciOiJub25lIn0.e30.",
      "Bearer ..",
      "Bearer e30.e30.e30",
      "Bearer \u00ff\u00fe",
    ],
    ...["Bearer ak_x", "Bearer rt_x", "Bearer tk_x", "Digest username=x", "Bearer\tx"],
  ].map((value) => ["authorization", value] as const),
  ...[
    ...[
      "",
      "1",
      canary,
      uuid.toUpperCase(),
      `${uuid}, ${uuid}`,
      `{${uuid}}`,
      long(5_000),
      "\u00e9",
    ],
    ...["00000000-0000-0000-0000-000000000000", "0195d1f0-7d5c-1b3a-8a55-1f0e2d3c4b5a", ` ${uuid}`],
  ].map((value) => ["idempotency-key", value] as const),
  ...[
    "*",
    '""',
    '"x"',
    'W/"x"',
    '"x", "y"',
    canary,
    `"${long(9_000)}"`,
    '"',
    "W/",
    '"\u00ff"',
    ",,",
  ].map((value) => ["if-none-match", value] as const),
  ...[uuid, uuid.toUpperCase(), canary, "", long(9_000), `${uuid}x`, "\u00e9".repeat(36)].map(
    (value) => ["x-request-id", value] as const,
  ),
  ...[
    ...["", canary, "00-0-0-0", `00-${"0".repeat(32)}-${"0".repeat(16)}-01`, long(9_000)],
    ...[`00-${"a".repeat(32)}-${"b".repeat(16)}-01`, `ff-${"a".repeat(32)}-${"b".repeat(16)}-01`],
    ...[`00-${"A".repeat(32)}-${"b".repeat(16)}-zz`, `01-${"a".repeat(32)}-${"b".repeat(16)}-01-x`],
  ].map((value) => ["traceparent", value] as const),
  ["tracestate", `${canary}=1,`.repeat(100)],
  ["forwarded", `for=${canary};host=evil.example;proto=https`],
  ["x-forwarded-for", `1.2.3.4, ${canary}, ::1, [::1]:80, 999.1.1.1`],
  ["x-forwarded-for", "1.2.3.4,".repeat(2_000)],
  ["x-forwarded-host", "evil.example"],
  ["x-forwarded-proto", "javascript"],
  ["x-real-ip", canary],
  ["x-http-method-override", "DELETE"],
  ["x-method-override", "DELETE"],
  ["x-original-url", "/api/v1/tenants"],
  ["x-rewrite-url", "/metrics"],
  ["x-tenant-id", uuid],
  ["tenant-id", uuid],
  ["host", canary],
  ["host", "a"],
  ["accept", "text/html"],
  ["accept", "application/xml;q=1, */*;q=0"],
  ["accept", long(9_000)],
  ["accept-language", `${canary},*;q=2`],
  ["accept-encoding", "gzip, br;q=0, *;q=0"],
  ["accept-charset", "utf-7"],
  ["origin", "null"],
  ["origin", `https://${canary}.example`],
  ["origin", `http://localhost.${canary}`],
  ["referer", `javascript:${canary}`],
  ["cookie", `kartu_rt=${canary}`],
  ["cookie", `kartu_rt=; kartu_rt=rt_${"A".repeat(43)}; =; ;;`],
  ["cookie", `${"a=b; ".repeat(2_000)}`],
  ["last-event-id", canary],
  ["last-event-id", "-1"],
  ["last-event-id", "99999999999999999999"],
  ["range", "bytes=0-0,1-1,-1"],
  ["if-modified-since", canary],
  ["if-match", "*"],
  ["expect", "100-continue"],
  ["upgrade", "websocket"],
  ["connection", "upgrade, x-request-id, authorization"],
  ["te", "trailers"],
  ["trailer", "authorization"],
  ["max-forwards", "0"],
  ["user-agent", `() { :; }; echo ${canary}`],
  ["user-agent", long(9_000)],
  ["dnt", "\u00ff"],
  ...["abc", "-1", "1e3", "99999999999", "1048577", "9007199254740993", "0x10", "+5"].map(
    (value) => ["content-length", value] as const,
  ),
];

/** Media types that are not the one that is due, or only nearly so. */
export const oddTypes: readonly string[] = [
  ...["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
  ...["application/json; charset=utf-16", "application/json;charset=UTF-8", "application/json;"],
  ...["application/json; charset=latin1", "APPLICATION/JSON", "application/json, text/plain"],
  ...["application/jsonp", "application/problem+json", "json", `text/${canary}`, "*/*", "/", ";"],
  ...['application/json; charset="utf-8"', "application/json; a=b; charset=utf-8", long(5_000)],
  ...[
    "application/xml",
    "application/octet-stream",
    "application/json\u00a0",
    "application/json; =",
  ],
];

/** What is made of a path, the first step of which is empty. */
export const pathGames: readonly ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => `${path}//`,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/x/..${path}`,
  (path) => `/x/%2e%2e${path}`,
  (path) => path.replace(/\/(\w)/, (_, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`),
  (path) => path.replace(/(?<=.)\//, "%2f"),
  (path) => path.replace(/(?<=.)\//, "%5c"),
  (path) => path.replace(/(?<=.)\//, "\\"),
  (path) => path.replace(/(?<=.)\//, "//"),
  (path) => path.replace(/(?<=.)\//, "/./"),
  (path) => path.toUpperCase(),
  (path) => `${path};v=1`,
  (path) => path.replace(/(?<=.)\//, ";a=b/"),
  (path) => `${path}.`,
  (path) => `${path}.json`,
  (path) => `${path}%00`,
  (path) => `${path}%20`,
  (path) => `${path}%0d%0aX-Kanari:1`,
  (path) => `${path}/%c0%ae%c0%ae/`,
  (path) => `${path}%ff`,
  (path) => `${path}%`,
  (path) => `${path}%zz`,
  (path) => `${path}%252e`,
  (path) => `${path}/..;/`,
  (path) => `${path}/__proto__`,
  (path) => `${path}\u00e9`,
  (path) => `${path}%F0%9F%98%80`,
  (path) => `${path}/${"a".repeat(8_000)}`,
  (path) => `${path}${"/a".repeat(2_000)}`,
  (path) => `${path}:80`,
  (path) => `/http://evil.example${path}`,
  (path) => path.replace(/[^/]+$/, ""),
  (path) => path.replace(/[^/]+$/, "constructor"),
  (path) => path.replace(/[^/]+$/, "*"),
  (path) => path.replace(/[^/]+$/, ":id"),
];

/** Behind the `?` of a path, whatever it takes. */
export const queryGames: readonly string[] = [
  ...[
    "",
    "=",
    "&",
    "&&&",
    "==",
    unknownName,
    `${unknownName}=1`,
    `=${canary}`,
    "%",
    "%zz=1",
    "a=%",
  ],
  ...["__proto__=1", "__proto__[isOwner]=true", "constructor=1", "toString=1", "a[]=1", "a.b=1"],
  ...["limit=1&limit=2", "limit[]=1", "limit=", "limit=0", "limit=101", "limit=1.0", "limit=1e1"],
  ...["limit=%31", "limit=+1", "limit=%2B1", "limit=01", "limit=NaN", "limit=-0", "LIMIT=1"],
  ...[
    "limit=9007199254740993",
    "cursor=",
    `cursor=${canary}`,
    "cursor=%00",
    "cursor=e30",
    "offset=1",
  ],
  ...[`cursor=${"A".repeat(2_048)}`, `cursor=${"A".repeat(2_049)}`, "cursor=%FF%FE", "a+b=c+d"],
  ...["a=1?b=2", "?a=1", "a=1#b", "a=%c0%af", "a=%ed%a0%80", "a=\u00e9", "a=1;b=2", "format=xml"],
  ...[
    `q=${"x".repeat(8_000)}`,
    "a=1&".repeat(3_000),
    "q=%25",
    "q=__",
    "q=%5C%5C",
    "q=%27%22",
    "q=a",
  ],
  ...["from=2025-02-30", "from=x", "from=2025-01-01", "to=9999-12-31T23:59:60Z", "ticket=tk_x"],
];

/** Instants that calendars trip over. */
export const instants: readonly string[] = [
  ...["2025-05-08T10:26:40Z", "2025-05-08T17:26:40+07:00", "2025-05-08T10:26:40.123456789Z"],
  ...[
    "2030-01-01T00:00:00Z",
    "2024-02-29T23:59:59Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
  ],
  ...["0001-01-01T00:00:00Z", "2025-05-08t10:26:40z", "2025-05-08T10:26:40-23:59"],
];
export const oddInstants: readonly string[] = [
  ...["2025-02-30T00:00:00Z", "2025-13-01T00:00:00Z", "2025-05-08T24:00:00Z", "2025-05-08", "x"],
  ...["2025-05-08T10:26:60Z", "+12025-05-08T10:26:40Z", "2025-05-08 10:26:40", "1746700000", ""],
];
export const days: readonly string[] = [
  ...[
    "2025-05-01",
    "2025-05-07",
    "2025-05-08",
    "2025-04-10",
    "2024-02-29",
    "1970-01-01",
    "9999-12-31",
  ],
];
export const seconds: readonly number[] = [0, 1, 60, -60, -3_600, 86_400, -86_400].map(
  (by) => startSec + by,
);
