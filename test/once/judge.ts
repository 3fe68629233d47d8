/**
 * Whether the answers of a round are those that the contract allows, and what it must have recorded. A
 * client whose connection ended has no answer; whether that may be is known to who sent.
 */
import type { Kind, Rivals } from "./kind/kind.ts";
import type { Round } from "./round.ts";
import type { Reply } from "./shot.ts";
import { changeOf, sumOf, type Tally, times } from "./tally.ts";

export interface Heard {
  readonly which: number;
  /** Whether a key was sent that means something. */
  readonly isKeyed: boolean;
  readonly reply: Reply;
}

export interface Verdict {
  /** What is wrong, a line each. */
  readonly faults: readonly string[];
  readonly effect: Tally;
  /** Lines that nobody can know, since answers were lost. */
  readonly loose: readonly string[];
}

/** `200`, or of a refusal `409 duplicate_counter`, by whichever surface. */
function outcomeOf({ status, body }: Reply): string {
  if (status < 400) return String(status);
  const { error, type } = JSON.parse(body) as { error?: string; type?: string };
  return `${status} ${error ?? type?.replace(/^.*\//, "")}`;
}

const isDone = ({ reply }: Heard): boolean => reply.status < 300;
const isReplay = ({ reply }: Heard): boolean => reply.headers["idempotent-replayed"] === "true";

function tallyOfOutcomes(heard: readonly Heard[]): string {
  const counts = new Map<string, number>();
  for (const { reply } of heard) {
    const outcome = outcomeOf(reply);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return [...counts].map(([outcome, n]) => `${n}× ${outcome}`).join(", ");
}

const without = (body: string, but: readonly string[]): string =>
  but.length === 0
    ? body
    : JSON.stringify(JSON.parse(body), (name, value: unknown) =>
        but.includes(name) ? undefined : value,
      );

const shownMax = 300;

function differing(heard: readonly Heard[], but: readonly string[] = []): string[] {
  const all = heard.map(({ reply }) =>
    [reply.status, reply.headers.location ?? "", without(reply.body, but)].join(" "),
  );
  const distinct = [...new Set(all)];
  if (distinct.length <= 1) return [];
  const [one, other] = distinct.map((text) => text.slice(0, shownMax));
  return [`${distinct.length} answers that should be one: ${one} ≠ ${other}`];
}

function others(heard: readonly Heard[], as: readonly string[]): string[] {
  const wrong = heard.filter(({ reply }) => !as.includes(outcomeOf(reply)));
  return wrong.length === 0 ? [] : [`${tallyOfOutcomes(wrong)}, not ${as.join(" or ")}`];
}

/** One key: one answer, once as the first, else as a repeat of it. */
function judgeKeyed(kind: Kind, heard: readonly Heard[], isWhole: boolean): string[] {
  const firsts = heard.filter((each) => !isReplay(each)).length;
  return [
    ...others(heard, [String(kind.status)]),
    ...differing(heard),
    ...(firsts > 1 || (isWhole && firsts === 0) ? [`${firsts} answers are no repeat`] : []),
  ];
}

const keptLine = ({ secret }: Kind): string => (secret === true ? "kept sealed" : "kept clear");

/** @param isWhole every client had its answer */
export function judge(
  { kind, mode, aims }: Round,
  heard: readonly Heard[],
  solos: readonly Tally[],
  isWhole: boolean,
): Verdict {
  const solo = solos[0] ?? {};
  const one = sumOf([solo, { [keptLine(kind)]: 1 }]);
  if (mode === "keyed" || mode === "cut") {
    return { faults: judgeKeyed(kind, heard, isWhole && mode === "keyed"), effect: one, loose: [] };
  }
  const count = Math.max(...aims.map(({ which }) => which)) + 1;
  const of = (which: number): Heard[] => heard.filter((each) => each.which === which);
  if (mode === "scopes") {
    const all = Array.from({ length: count }, (_, which) => of(which));
    const faults = all.flatMap((own) => judgeKeyed(kind, own, isWhole));
    const bodies = new Set(all.map((own) => own[0]?.reply.body));
    if (bodies.size < count) faults.push("two scopes had one answer");
    return { faults, effect: times(one, count), loose: [] };
  }
  if (mode === "clash") {
    const winner = heard.find(isDone)?.which ?? 0;
    const conflict = ["409 idempotency_key_conflict", "409 idempotency-key-conflict"];
    const faults = [
      ...judgeKeyed(kind, of(winner), isWhole),
      ...others(
        heard.filter(({ which }) => which !== winner),
        conflict,
      ),
    ];
    return { faults, effect: one, loose: [] };
  }
  return judgeRivals(kind, kind.rivals, heard, solos, isWhole);
}

/** Lines in which some tallies differ. */
const unequal = (tallies: readonly Tally[]): string[] => {
  const [first = {}, ...rest] = tallies;
  return [...new Set(rest.flatMap((each) => Object.keys(changeOf(first, each))))];
};

function judgeRivals(
  kind: Kind,
  rivals: Rivals,
  heard: readonly Heard[],
  solos: readonly Tally[],
  isWhole: boolean,
): Verdict {
  const done = heard.filter(isDone);
  const refused = heard.filter((each) => !isDone(each));
  const keys = done.filter(({ isKeyed }) => isKeyed).length;
  const kept: Tally = keys === 0 ? {} : { [keptLine(kind)]: keys };
  const soloOf = ({ which }: Heard): Tally => solos[which] ?? {};
  const winner = done[0];
  const soloOfWinner = winner === undefined ? (solos[0] ?? {}) : soloOf(winner);
  if (rivals.are === "same") {
    const faults = [
      ...differing(done, rivals.but),
      ...others(done, [String(kind.status)]),
      ...others(refused, rivals.others ?? []),
      ...(done.length === 0 ? ["nobody was answered"] : []),
    ];
    const mixed = refused.filter(({ which }) => which === winner?.which);
    if (mixed.length > 0) faults.push(`of one call some are done, and ${tallyOfOutcomes(mixed)}`);
    const { each = {} } = rivals;
    const effect = sumOf([soloOfWinner, kept, times(each, done.length - 1)]);
    return { faults, effect, loose: isWhole ? [] : Object.keys(each) };
  }
  if (rivals.are === "refused") {
    const faults = [
      ...others(done, [String(kind.status)]),
      ...others(refused, rivals.as),
      ...(done.length > 1 || (isWhole && done.length === 0) ? [`${done.length} are done`] : []),
    ];
    const more = refused.length > 0 ? (rivals.more ?? {}) : {};
    // Of calls that exclude each other, the one that was done may have had no answer.
    const unsure = winner === undefined ? unequal(solos) : [];
    const told = Object.entries(rivals.each ?? {});
    const each = told.map(([outcome, tally]) =>
      times(tally, refused.filter(({ reply }) => outcomeOf(reply) === outcome).length),
    );
    const unheard = isWhole ? [] : told.flatMap(([, tally]) => Object.keys(tally));
    const cut = isWhole || winner !== undefined ? [] : (kind.behind ?? []);
    const effect = sumOf([soloOfWinner, kept, more, ...each]);
    return { faults, effect, loose: [...unsure, ...unheard, ...cut] };
  }
  const { once = [], as = [], exactly } = rivals;
  const isRight = exactly === undefined || exactly === done.length;
  const faults = [
    ...others(done, [String(kind.status)]),
    ...others(refused, as),
    ...(isRight ? [] : [`${done.length} are done, not ${exactly}`]),
  ];
  const each = sumOf(done.map(soloOf));
  const effect = Object.fromEntries(
    Object.entries(each).map(([name, n]) => [name, once.includes(name) ? soloOfWinner[name] : n]),
  ) as Tally;
  const loose = isWhole ? [] : Object.keys(soloOfWinner).filter((name) => !once.includes(name));
  return { faults, effect: sumOf([effect, kept]), loose };
}
