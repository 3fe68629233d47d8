/**
 * Requests as nobody should send them, and what may come of each: framing that two readers could read
 * in two ways, lengths and chunks that lie, lines that are none, targets and versions of other worlds.
 * What is expected is from RFC 9110 and 9112, and from our own order of refusal behind them.
 */
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";

/** A call that writes one row if it is run, in parts. */
export interface WireCall {
  /** Request line without its version. */
  readonly line: string;
  /** Host, credential and media type, each with CRLF. */
  readonly head: string;
  readonly body: string;
  /** The same with a row of its own, whole: what must never be run where it stands in or behind a broken one. */
  readonly behind: string;
}

/**
 * What came of a call, such as `ok open 1+0`: the answers' statuses, `ok` for success; whether another
 * request on the connection was then answered; rows written by the call, and by what stood behind it.
 */
export type Outcome = string;

export interface Shape {
  readonly name: string;
  /** Each letter a byte. */
  make(call: WireCall): string;
  readonly may: RegExp;
  /** Answers that are waited for; default 1. */
  readonly count?: number;
  /** The server waits for more: nothing else is asked on the connection. */
  readonly waits?: true;
  readonly isHead?: true;
}

/** Not read as a request at all: a status without a body of ours, or none, and the connection ends. */
const refused = /^(?:400|413|417|431|501|505)? ?closed 0\+0$/;
/** Run, once. */
const run = /^ok open 1\+0$/;
/** Ours to judge, and the connection goes on. */
const judged = (status: string): RegExp => new RegExp(`^${status} open 0\\+0$`);
/** Either a fault of framing or nothing wrong at all. */
const eitherWay = /^(?:ok open 1\+0|(?:400|413|431|501|505)? ?closed 0\+0)$/;

const request = (
  { line, head }: WireCall,
  more: string,
  content: string,
  version = "1.1",
): string => `${line} HTTP/${version}\r\n${head}${more}\r\n${content}`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const chunked = (text: string): string => `${chunk(text)}0\r\n\r\n`;
const te = "Transfer-Encoding: chunked\r\n";
const length = (text: string): string => `Content-Length: ${text.length}\r\n`;

/** `Content-Length` in every spelling, each with a body and a request behind it. */
const wrongLengths = [
  ...["-1", "+5", "0x20", "", " ", "5 5", "5,5", "5, 5", "1e1", "5.0", "5;", "five", "\u00a05"],
  ...["9223372036854775808", "18446744073709551616", "18446744073709551647", "9".repeat(400)],
];
const lengths: Shape[] = [
  ...wrongLengths.map((value) => ({
    name: `length ${JSON.stringify(value.slice(0, 24))}`,
    make: (call: WireCall) =>
      request(call, `Content-Length: ${value}\r\n`, call.body + call.behind),
    may: refused,
  })),
  {
    name: "length with a plus sign, else right",
    make: (call) => request(call, `Content-Length: +${call.body.length}\r\n`, call.body),
    may: refused,
  },
  {
    name: "two lengths, none right",
    make: (call) => request(call, `Content-Length: 0\r\n${length(call.behind)}`, call.behind),
    may: refused,
  },
  {
    name: "two lengths, the first right",
    make: (call) => request(call, `${length(call.body)}Content-Length: 0\r\n`, call.body),
    may: refused,
  },
  {
    name: "two lengths, the second right",
    make: (call) => request(call, `Content-Length: 0\r\n${length(call.body)}`, call.body),
    may: refused,
  },
  {
    name: "two lengths that are equal",
    make: (call) => request(call, length(call.body).repeat(2), call.body),
    may: eitherWay,
  },
  {
    name: "a list of equal lengths",
    make: (call) => {
      const { length: size } = call.body;
      return request(call, `Content-Length: ${size}, ${size}\r\n`, call.body);
    },
    may: eitherWay,
  },
  {
    name: "length between spaces and tabs",
    make: (call) => request(call, `Content-Length: \t ${call.body.length}\t \r\n`, call.body),
    may: run,
  },
  {
    name: "length with zeros in front",
    make: (call) => request(call, `Content-Length: 000${call.body.length}\r\n`, call.body),
    may: eitherWay,
  },
  {
    name: "a space before the length's colon",
    make: (call) =>
      request(call, `Content-Length : ${call.body.length}\r\n`, call.body + call.behind),
    may: refused,
  },
  {
    name: "length on a folded line",
    make: (call) => request(call, `Content-Length:\r\n ${call.body.length}\r\n`, call.body),
    may: refused,
  },
  {
    name: "a length beyond every limit, and less behind it",
    make: (call) => request(call, "Content-Length: 99999999999\r\n", call.behind),
    may: judged("413"),
    waits: true,
  },
  {
    name: "a body over the limit, then another request",
    make: (call) => {
      const body = call.behind.padEnd(1_048_577);
      return `${request(call, length(body), body)}GET /live HTTP/1.1\r\nHost: a\r\n\r\n`;
    },
    may: /^413 ok open 0\+0$/,
    count: 2,
  },
];

/** `Transfer-Encoding` as it is written to be seen by one reader and overlooked by another. */
const wrongCodings = [
  ...["chunked, identity", "identity, chunked", "xchunked", "chunkedx", "chunked, chunked"],
  ...["gzip, chunked", "identity", "gzip", "chunked;q=1", "\u000bchunked", '"chunked"', ""],
  ...["chu nked", "\u00a0chunked", "chunked\u0000", "x, chunked", "chunked\u000c", "chunked x"],
];
/** Names that a lenient reader takes for the header. */
const wrongNames = [
  ...["Transfer-Encoding ", "Transfer-Encoding\t", " Transfer-Encoding", "\tTransfer-Encoding"],
  ...["X-A: b\r\n Transfer-Encoding", "X-A: b\nTransfer-Encoding", "X-A: b\rTransfer-Encoding"],
  ...["Transfer-Encoding:\r\n", "Transfer-Encoding\u0000", "\u0000Transfer-Encoding"],
];
const codings: Shape[] = [
  ...wrongCodings.flatMap((value): Shape[] => [
    {
      name: `coding ${JSON.stringify(value)}`,
      make: (call) =>
        request(call, `Transfer-Encoding: ${value}\r\n`, chunked(call.body) + call.behind),
      may: refused,
    },
    {
      name: `coding ${JSON.stringify(value)} beside a length`,
      make: (call) =>
        request(
          call,
          `Content-Length: 4\r\nTransfer-Encoding: ${value}\r\n`,
          chunked(call.body) + call.behind,
        ),
      may: refused,
    },
  ]),
  ...wrongNames.flatMap((name): Shape[] => [
    {
      name: `coding under the name ${JSON.stringify(name)}`,
      make: (call) => request(call, `${name}: chunked\r\n`, chunked(call.body) + call.behind),
      may: refused,
    },
    {
      name: `coding under the name ${JSON.stringify(name)} behind a length`,
      make: (call) =>
        request(call, `${length(chunked(call.body))}${name}: chunked\r\n`, chunked(call.body)),
      may: refused,
    },
  ]),
  ...["chunked", "Chunked", "CHUNKED", " \tchunked\t "].map(
    (value): Shape => ({
      name: `coding ${JSON.stringify(value)}`,
      make: (call) => request(call, `Transfer-Encoding: ${value}\r\n`, chunked(call.body)),
      may: run,
    }),
  ),
  {
    name: "CL.TE: a length over chunks that end before it",
    make: (call) => {
      const content = `0\r\n\r\n${call.behind}`;
      return request(call, length(content) + te, content);
    },
    may: refused,
  },
  {
    name: "TE.CL: chunks over a length that ends before them",
    make: (call) => request(call, `${te}Content-Length: 4\r\n`, `${chunk(call.behind)}0\r\n\r\n`),
    may: refused,
  },
  {
    name: "TE.TE: two codings, the second hidden",
    make: (call) =>
      request(call, `${te}Transfer-encoding: cow\r\n`, chunked(call.body) + call.behind),
    may: refused,
  },
  ...["chunked", "identity"].flatMap((second): Shape[] => [
    {
      name: `two codings, chunked and ${second}`,
      make: (call) =>
        request(call, `${te}Transfer-Encoding: ${second}\r\n`, chunked(call.body) + call.behind),
      may: refused,
    },
    {
      name: `two codings, ${second} and chunked`,
      make: (call) =>
        request(call, `Transfer-Encoding: ${second}\r\n${te}`, chunked(call.body) + call.behind),
      may: refused,
    },
  ]),
  {
    name: "a coding with an underscore is no coding",
    make: (call) => request(call, `Transfer_Encoding: chunked\r\n${length(call.body)}`, call.body),
    may: eitherWay,
  },
  {
    name: "chunks of HTTP/1.0",
    make: (call) => request(call, te, chunked(call.body) + call.behind, "1.0"),
    may: refused,
  },
];

const wrongSizes = [
  ...["-1", "+1f", " 1f", "0x1f", "zz", "", "1f 1f", "ffffffffffffffff", "fffffffffffffffff"],
  "10000000000000000",
];
const inChunks = (name: string, content: (call: WireCall) => string, may: RegExp): Shape => ({
  name,
  make: (call) => request(call, te, content(call)),
  may,
});
const hex = ({ body }: WireCall): string => body.length.toString(16);
const chunks: Shape[] = [
  ...wrongSizes.map((size) =>
    inChunks(
      `chunk of ${JSON.stringify(size)}`,
      ({ body, behind }) => `${size}\r\n${body}\r\n0\r\n\r\n${behind}`,
      refused,
    ),
  ),
  inChunks(
    "a chunk size that would be right in 64 bits",
    (call) => `1${hex(call).padStart(16, "0")}\r\n${call.body}\r\n0\r\n\r\n${call.behind}`,
    refused,
  ),
  {
    ...inChunks(
      "a chunk size that would be right in 32 bits",
      (call) => `1${hex(call).padStart(8, "0")}\r\n${call.body}\r\n0\r\n\r\n${call.behind}`,
      /^open 0\+0$/,
    ),
    count: 0,
    waits: true,
  },
  inChunks(
    "a chunk size with many zeros",
    (call) => `${hex(call).padStart(200, "0")}\r\n${call.body}\r\n0\r\n\r\n`,
    eitherWay,
  ),
  inChunks("a chunk extension", (call) => `${hex(call)};a=b\r\n${call.body}\r\n0\r\n\r\n`, run),
  inChunks(
    "a chunk extension with a line feed in it",
    (call) => `${hex(call)};a\n${call.body}\r\n0\r\n\r\n${call.behind}`,
    refused,
  ),
  inChunks(
    "a chunk extension of 100 kB",
    (call) => `${hex(call)};${"a".repeat(100_000)}\r\n${call.body}\r\n0\r\n\r\n`,
    refused,
  ),
  inChunks(
    "bare line feeds between chunks",
    (call) => `${hex(call)}\n${call.body}\n0\n\n${call.behind}`,
    refused,
  ),
  inChunks(
    "nothing between a chunk and the next size",
    (call) => `${hex(call)}\r\n${call.body}0\r\n\r\n${call.behind}`,
    refused,
  ),
  inChunks(
    "something else between a chunk and the next size",
    (call) => `${hex(call)}\r\n${call.body}XX0\r\n\r\n${call.behind}`,
    refused,
  ),
  // Complete with the chunk of zero (RFC 9112 §8), so it may have been run; what follows is never read
  // as a request, and a status that is no success may stand for the trailer, which is not understood.
  ...["X-T: 1\r\n", "Content-Length: 500\r\n", "GET /live HTTP/1.1\r\nHost: a\r\n", "XX"].map(
    (trailer) =>
      inChunks(
        `behind the last chunk ${JSON.stringify(trailer)}`,
        ({ body, behind }) => `${chunk(body)}0\r\n${trailer}\r\n${behind}`,
        /^(?:ok |400 |ok 400 )?closed [01]\+0$/,
      ),
  ),
  {
    ...inChunks(
      "more than the limit in chunks, then another request",
      () => `${chunked(" ".repeat(1_048_577))}GET /live HTTP/1.1\r\nHost: a\r\n\r\n`,
      /^413 ok open 0\+0$/,
    ),
    count: 2,
  },
];

const get = (line: string, head = "Host: a\r\n"): string => `${line}\r\n${head}\r\n`;
const look = (name: string, text: string, may: RegExp, more: Partial<Shape> = {}): Shape => ({
  ...{ name, make: () => text, may },
  ...more,
});
const seen = judged("ok");

const targets: Shape[] = [
  look("no Host", get("GET /live HTTP/1.1", ""), refused),
  // Bun joins them; nothing here reads Host.
  look(
    "two Hosts",
    get("GET /live HTTP/1.1", "Host: a\r\nHost: b\r\n"),
    /^(?:ok open|400 closed) 0\+0$/,
  ),
  look("an empty Host", get("GET /live HTTP/1.1", "Host: \r\n"), seen),
  look(
    "another Host",
    get("GET /live HTTP/1.1", "Host: a/b?c#d@e\r\n"),
    /^(?:ok open|400 closed) 0\+0$/,
  ),
  look("a whole address", get("GET http://elsewhere.example/live HTTP/1.1"), seen),
  look(
    "a whole address of what needs a token",
    get("GET http://a:1/api/policy HTTP/1.1"),
    judged("401"),
  ),
  look(
    "a file's address",
    get("GET file:///etc/passwd HTTP/1.1"),
    /^(?:404 open|400 closed) 0\+0$/,
  ),
  // Nothing is read on such a connection any more, whatever was answered.
  look(
    "CONNECT",
    get("CONNECT a:80 HTTP/1.1"),
    /^(?:(?:404|405) open|(?:400|501)? ?closed) 0\+0$/,
    {
      waits: true,
    },
  ),
  look("OPTIONS *", get("OPTIONS * HTTP/1.1"), /^(?:(?:ok|404) open|400 closed) 0\+0$/),
  look("GET *", get("GET * HTTP/1.1"), /^(?:404 open|400 closed) 0\+0$/),
  look("a path without its slash", get("GET live HTTP/1.1"), /^(?:404 open|400 closed) 0\+0$/),
  look("a fragment", get("GET /live#x HTTP/1.1"), /^(?:(?:ok|404) open|400 closed) 0\+0$/),
  look("a path with NUL", get("GET /li\u0000ve HTTP/1.1"), refused),
  look("a path of high bytes", get("GET /\u00ff\u00fe HTTP/1.1"), /^(?:404 open|400 closed) 0\+0$/),
  look("a path of 8 kB", get(`GET /${"a".repeat(8_000)} HTTP/1.1`), judged("404")),
  look(
    "a path of 100 kB",
    get(`GET /${"a".repeat(100_000)} HTTP/1.1`),
    /^(?:404 open|(?:400|414|431) closed) 0\+0$/,
  ),
  look(
    "a verb that is none",
    get("FOO /live HTTP/1.1"),
    /^(?:405 open|(?:400|501)? ?closed) 0\+0$/,
  ),
  look(
    "a verb in lower case",
    get("get /live HTTP/1.1"),
    /^(?:405 open|(?:400|501)? ?closed) 0\+0$/,
  ),
  look(
    "a verb of 5 kB",
    get(`${"A".repeat(5_000)} /live HTTP/1.1`),
    /^(?:405 open|(?:400|431|501)? ?closed) 0\+0$/,
  ),
  look("TRACE", get("TRACE /live HTTP/1.1"), judged("405")),
  look("two spaces", get("GET  /live HTTP/1.1"), refused),
  look("tabs for spaces", get("GET\t/live\tHTTP/1.1"), refused),
  look("a space behind the version", get("GET /live HTTP/1.1 "), refused),
  look("HTTP/0.9", "GET /live\r\n\r\n", refused),
  look("HTTP/1.0", get("GET /live HTTP/1.0", ""), /^ok closed 0\+0$/),
  look("HTTP/1.2", get("GET /live HTTP/1.2"), /^(?:ok open|505 closed) 0\+0$/),
  look("HTTP/2.0 in the line", get("GET /live HTTP/2.0"), refused),
  look("http/1.1", get("GET /live http/1.1"), refused),
  look(
    "the preface of HTTP/2",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000",
    refused,
  ),
  look(
    "a greeting of TLS",
    `\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003${"x".repeat(200)}`,
    refused,
  ),
  look("line feeds alone", "GET /live HTTP/1.1\nHost: a\n\n", refused),
  look("a line feed in a header", get("GET /live HTTP/1.1", "Host: a\nX-A: b\r\n"), refused),
  look("a carriage return in a header", get("GET /live HTTP/1.1", "Host: a\rX-A: b\r\n"), refused),
  look("nothing but empty lines", "\r\n".repeat(50), refused),
];

const headers: Shape[] = [
  look("NUL in a value", get("GET /live HTTP/1.1", "Host: a\r\nX-A: a\u0000b\r\n"), refused),
  look("NUL in a name", get("GET /live HTTP/1.1", "Host: a\r\nX-\u0000A: b\r\n"), refused),
  look("a name that is empty", get("GET /live HTTP/1.1", "Host: a\r\n: b\r\n"), refused),
  look("a name with a space", get("GET /live HTTP/1.1", "Host: a\r\nX A: b\r\n"), refused),
  look("a header without a colon", get("GET /live HTTP/1.1", "Host: a\r\nXA\r\n"), refused),
  look(
    "a folded header",
    get("GET /live HTTP/1.1", "Host: a\r\nX-A: b\r\n c\r\n"),
    /^(?:ok open|400 closed) 0\+0$/,
  ),
  look(
    "high bytes in a value",
    get("GET /live HTTP/1.1", "Host: a\r\nX-A: \u00ff\u00fe\r\n"),
    /^(?:ok open|400 closed) 0\+0$/,
  ),
  look(
    "a header of 100 kB",
    get("GET /live HTTP/1.1", `Host: a\r\nX-A: ${"a".repeat(100_000)}\r\n`),
    refused,
  ),
  look(
    "a header of 2 MB",
    get("GET /live HTTP/1.1", `Host: a\r\nX-A: ${"a".repeat(2_000_000)}\r\n`),
    refused,
  ),
  look("100 headers", get("GET /live HTTP/1.1", `Host: a\r\n${"X-A: a\r\n".repeat(100)}`), seen),
  look(
    "10 000 headers",
    get("GET /live HTTP/1.1", `Host: a\r\n${"X-A: a\r\n".repeat(10_000)}`),
    refused,
  ),
  ...["Authorization: Bearer x", "Authorization: Basic eA==", "Content-Type: text/plain"].map(
    (second): Shape => ({
      name: `a second ${second}`,
      make: (call) => request(call, `${second}\r\n${length(call.body)}`, call.body),
      may: /^(?:401|415) open 0\+0$/,
    }),
  ),
  {
    name: "two idempotency keys",
    make: (call) => {
      const key = (last: string): string =>
        `Idempotency-Key: 01971d3e-7a00-7cc3-98c4-dc0c0c07398${last}\r\n`;
      return request(call, key("a") + key("b") + length(call.body), call.body);
    },
    may: judged("400"),
  },
  look(
    "h2c",
    get(
      "GET /live HTTP/1.1",
      "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    ),
    seen,
  ),
  look(
    "a web socket",
    get(
      "GET /live HTTP/1.1",
      "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
    ),
    seen,
  ),
  ...["100-continue", "magic"].map(
    (value): Shape => ({
      name: `Expect: ${value}`,
      make: (call) => request(call, `Expect: ${value}\r\n${length(call.body)}`, call.body),
      may: eitherWay,
    }),
  ),
  {
    name: "Expect: 100-continue for more than the limit",
    make: (call) => request(call, "Expect: 100-continue\r\nContent-Length: 99999999\r\n", ""),
    may: judged("413"),
    waits: true,
  },
];

/** 16 MB of spaces in some kB. */
const bombs = (["gzip", "br", "zstd"] as const).map((coding) => {
  const blank = Buffer.alloc(16_777_216, " ");
  const pack = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync }[coding];
  return [coding, pack(blank).toString("latin1")] as const;
});
const coded: Shape[] = [
  ...bombs.map(
    ([coding, bytes]): Shape => ({
      name: `a bomb in ${coding}`,
      make: (call) => request(call, `Content-Encoding: ${coding}\r\n${length(bytes)}`, bytes),
      may: judged("415"),
    }),
  ),
  ...["gzip", "br", "zstd", "deflate", "compress", "x-unknown", "gzip, identity"].map(
    (coding): Shape => ({
      name: `content coding ${coding}`,
      make: (call) =>
        request(call, `Content-Encoding: ${coding}\r\n${length(call.body)}`, call.body),
      may: judged("415"),
    }),
  ),
];

const series: Shape[] = [
  look(
    "a series: each gets its own answer, in order",
    [
      get("GET /live HTTP/1.1"),
      get("GET /api/policy HTTP/1.1"),
      get("GET /nothing HTTP/1.1"),
      get("PUT /live HTTP/1.1"),
      get("GET /ready HTTP/1.1"),
    ].join(""),
    /^(?:ok 401 404 405 ok open|(?:ok )?(?:401 )?(?:404 )?(?:405 )?closed) 0\+0$/,
    { count: 5 },
  ),
  {
    name: "two writes in a row: as many are run as are answered, or one more",
    make: (call) => request(call, length(call.body), call.body) + call.behind,
    may: /^(?:ok ok open 1\+1|ok closed 1\+[01]|closed [01]\+0)$/,
    count: 2,
  },
  // A request that stands in the body of another is a body.
  {
    name: "a body of a read",
    make: ({ behind }) => `GET /live HTTP/1.1\r\nHost: a\r\n${length(behind)}\r\n${behind}`,
    may: seen,
  },
  {
    name: "a body of a read, in chunks",
    make: ({ behind }) => `GET /live HTTP/1.1\r\nHost: a\r\n${te}\r\n${chunked(behind)}`,
    may: seen,
  },
  {
    name: "a body of HEAD",
    make: ({ behind }) => `HEAD /live HTTP/1.1\r\nHost: a\r\n${length(behind)}\r\n${behind}`,
    may: seen,
    isHead: true,
  },
  ...(
    [
      ["an address that is not there", "404", "POST /nothing"],
      ["a verb that is not there", "405", "PUT /live"],
      ["a call without a token", "401", "POST /api/v1/fleet/members"],
    ] as const
  ).map(
    ([what, status, line]): Shape => ({
      name: `a body of ${what}`,
      make: ({ behind }) => `${line} HTTP/1.1\r\nHost: a\r\n${length(behind)}\r\n${behind}`,
      may: judged(status),
    }),
  ),
];

export const shapes: readonly Shape[] = [
  {
    name: "as it should be",
    make: (call) => request(call, length(call.body), call.body),
    may: run,
  },
  ...lengths,
  ...codings,
  ...chunks,
  ...targets,
  ...headers,
  ...coded,
  ...series,
];
