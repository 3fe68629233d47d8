/**
 * Makes a call that was answered wrongly as small as it can be with the same thing wrong, by leaving out
 * one part after another. It asks the same server again, so of what depends on earlier calls it keeps all.
 */
import type { Wire } from "./wire.ts";

const triesMax = 60;

/** Each call that has one part less. */
function* smaller(wire: Wire): Generator<Wire> {
  const { headers, target, body, stream } = wire;
  if (stream !== null) yield { ...wire, stream: null };
  for (const [at, [name]] of headers.entries()) {
    if (name !== "content-type") yield { ...wire, headers: headers.toSpliced(at, 1) };
  }
  const [path = "", query] = target.split("?", 2);
  const pairs = query?.split("&") ?? [];
  for (let at = 0; at < pairs.length; at++) {
    const rest = pairs.toSpliced(at, 1).join("&");
    yield { ...wire, target: rest === "" ? path : `${path}?${rest}` };
  }
  for (const text of body === null ? [] : smallerBodies(body)) {
    yield { ...wire, body: Buffer.from(text) };
  }
}

function* smallerBodies(body: Uint8Array): Generator<string> {
  const value = readJson(Buffer.from(body).toString());
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) yield JSON.stringify(value.toSpliced(at, 1));
    return;
  }
  for (const name of Object.keys(value)) {
    const { [name]: _left, ...rest } = value as Record<string, unknown>;
    yield JSON.stringify(rest);
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param isWrong asks again, and says whether the same is wrong with the answer */
export async function smallestOf(
  wire: Wire,
  isWrong: (wire: Wire) => Promise<boolean>,
): Promise<Wire> {
  let least = wire;
  let tries = 0;
  for (let isDone = false; !isDone; ) {
    isDone = true;
    for (const less of smaller(least)) {
      if (++tries > triesMax) return least;
      if (!(await isWrong(less))) continue;
      least = less;
      isDone = false;
      break;
    }
  }
  return least;
}
