/**
 * When a device held which operations: its grants as spans of time, overlapping ones of the same
 * operations joined. And a bounded memory of them by device, which may forget but never misleads.
 */
export interface GrantWindow {
  readonly issuedSec: number;
  readonly expiresSec: number;
  /** Mask of operations. */
  readonly ops: number;
}

/** Adds a span, joined with those of the same operations that it touches. */
export function addWindow(windows: GrantWindow[], added: GrantWindow): void {
  let { issuedSec, expiresSec } = added;
  for (let i = windows.length - 1; i >= 0; i--) {
    const each = windows[i];
    if (each === undefined || each.ops !== added.ops) continue;
    if (each.expiresSec < issuedSec || each.issuedSec > expiresSec) continue;
    issuedSec = Math.min(issuedSec, each.issuedSec);
    expiresSec = Math.max(expiresSec, each.expiresSec);
    windows.splice(i, 1);
  }
  windows.push({ issuedSec, expiresSec, ops: added.ops });
}

/** Those that touch fromSec … toSec. */
export const windowsBetween = (
  windows: readonly GrantWindow[],
  fromSec: number,
  toSec: number,
): GrantWindow[] => windows.filter((each) => each.issuedSec <= toSec && each.expiresSec >= fromSec);

interface Entry {
  /** Every span that ends at this second or later is here. */
  readonly sinceSec: number;
  readonly windows: GrantWindow[];
}

export class WindowMemory {
  readonly #entries = new Map<number, Entry>();
  readonly #loads = new Map<number, symbol>();

  constructor(readonly countMax: number) {}

  /** Spans of a device that end at `sinceSec` or later, or undefined when that is not known. */
  get(deviceNo: number, sinceSec: number): readonly GrantWindow[] | undefined {
    const entry = this.#entries.get(deviceNo);
    return entry === undefined || entry.sinceSec > sinceSec ? undefined : entry.windows;
  }

  /** Before reading a device's spans from the store; the mark goes to `loaded`. */
  loading(deviceNo: number): symbol {
    const mark = Symbol("load");
    this.#loads.set(deviceNo, mark);
    return mark;
  }

  /** Keeps what was read, unless something happened to the device meanwhile. */
  loaded(deviceNo: number, mark: symbol, sinceSec: number, windows: GrantWindow[]): void {
    if (this.#loads.get(deviceNo) !== mark) return;
    this.#loads.delete(deviceNo);
    this.#entries.delete(deviceNo);
    if (this.#entries.size >= this.countMax) {
      for (const eldest of this.#entries.keys()) {
        this.#entries.delete(eldest);
        break;
      }
    }
    this.#entries.set(deviceNo, { sinceSec, windows });
  }

  /** A grant that is durable now. */
  add(deviceNo: number, window: GrantWindow): void {
    this.#loads.delete(deviceNo);
    const entry = this.#entries.get(deviceNo);
    if (entry !== undefined) addWindow(entry.windows, window);
  }

  drop(deviceNo: number): void {
    this.#loads.delete(deviceNo);
    this.#entries.delete(deviceNo);
  }
}
