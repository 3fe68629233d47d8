/**
 * The archive of a backup: POSIX ustar, plain files only, so that `tar` can list and unpack it when
 * Kartu is not at hand. Streams both ways. Strict in reading: anything that Kartu would not have
 * written is an error.
 *
 *   one entry = header (512) · content · zeros up to a multiple of 512;  two zero blocks end the archive
 *
 *   offset size  header field                       offset size  header field
 *        0  100  name                                  156    1  type, "0": plain file
 *      100    8  mode, octal: 0000600                  157  100  link name: zeros
 *      108    8  uid: 0000000                          257    8  "ustar\0" "00"
 *      116    8  gid: 0000000                          265   80  owner names, device: zeros
 *      124   12  size: 11 octal digits, or from        345  155  prefix: what precedes name and "/"
 *                8 GiB on 0x80 and 11 bytes big-endian  500   12  zeros
 *      136   12  modification time, octal seconds
 *      148    8  sum of all header bytes, these eight as spaces: 6 octal digits, NUL, space
 */
import { type FileHandle, open } from "node:fs/promises";

const blockBytes = 512;
const chunkBytes = 1 << 20;
const octalSizeMax = 8 ** 11 - 1;
const sizeField = { start: 124, end: 136 };
const sumField = { start: 148, end: 156 };

export interface TarEntry {
  readonly path: string;
  readonly size: number;
}

export type Sink = (chunk: Uint8Array) => Promise<void>;

const padding = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes;

export class TarError extends Error {
  override readonly name = "TarError";
}

export class TarWriter {
  readonly #handle: FileHandle;
  readonly #mtimeSec: number;
  readonly #buffer = new Uint8Array(chunkBytes);

  constructor(handle: FileHandle, mtimeSec: number) {
    this.#handle = handle;
    this.#mtimeSec = mtimeSec;
  }

  async addBytes(path: string, bytes: Uint8Array): Promise<void> {
    await this.#write(encodeHeader({ path, size: bytes.length }, this.#mtimeSec));
    await this.#write(bytes);
    await this.#write(new Uint8Array(padding(bytes.length)));
  }

  /**
   * Adds what the open file holds at this moment and shows every chunk to `tap`. Returns the size.
   * @throws TarError the file shrank meanwhile.
   */
  async addFile(
    path: string,
    source: FileHandle,
    tap: (chunk: Uint8Array) => void,
  ): Promise<number> {
    const { size } = await source.stat();
    await this.#write(encodeHeader({ path, size }, this.#mtimeSec));
    for (let done = 0; done < size; ) {
      const length = Math.min(chunkBytes, size - done);
      const { bytesRead } = await source.read(this.#buffer, 0, length, done);
      if (bytesRead === 0) throw new TarError(`${path} shrank while it was read`);
      const chunk = this.#buffer.subarray(0, bytesRead);
      tap(chunk);
      await this.#write(chunk);
      done += bytesRead;
    }
    await this.#write(new Uint8Array(padding(size)));
    return size;
  }

  /** Ends the archive and makes it durable; the handle stays the caller's to close. */
  async end(): Promise<void> {
    await this.#write(new Uint8Array(2 * blockBytes));
    await this.#handle.sync();
  }

  #write(bytes: Uint8Array): Promise<void> {
    return writeAll(this.#handle, bytes);
  }
}

/**
 * Walks an archive from front to end, giving each entry's content to the sink that `onEntry` returns.
 * @throws TarError not an archive of ours, or cut off.
 */
export async function readTar(
  file: string,
  onEntry: (entry: TarEntry) => Promise<Sink>,
): Promise<void> {
  const handle = await open(file, "r");
  try {
    const source = new Source(handle);
    const header = new Uint8Array(blockBytes);
    for (;;) {
      await source.fill(header);
      if (header.every((byte) => byte === 0)) break;
      const entry = decodeHeader(header);
      await source.pass(entry.size, await onEntry(entry));
      await source.pass(padding(entry.size), () => Promise.resolve());
    }
    await source.fill(header);
    if (header.some((byte) => byte !== 0)) throw new TarError("the archive does not end properly");
  } finally {
    await handle.close();
  }
}

/** At the handle's own position; a single write may take less than it was given. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}

class Source {
  readonly #handle: FileHandle;
  readonly #buffer = new Uint8Array(chunkBytes);
  #position = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async fill(target: Uint8Array): Promise<void> {
    let done = 0;
    await this.pass(target.length, (chunk) => {
      target.set(chunk, done);
      done += chunk.length;
      return Promise.resolve();
    });
  }

  async pass(size: number, sink: Sink): Promise<void> {
    for (let done = 0; done < size; ) {
      const length = Math.min(chunkBytes, size - done);
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, length, this.#position);
      if (bytesRead === 0) throw new TarError("the archive is cut off");
      await sink(this.#buffer.subarray(0, bytesRead));
      this.#position += bytesRead;
      done += bytesRead;
    }
  }
}

function encodeHeader(entry: TarEntry, mtimeSec: number): Uint8Array {
  const header = new Uint8Array(blockBytes);
  const put = (offset: number, text: string) => {
    header.set(new TextEncoder().encode(text), offset);
  };
  const { name, prefix } = splitPath(entry.path);
  header.set(name, 0);
  put(100, "0000600\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  if (entry.size <= octalSizeMax) put(sizeField.start, `${octal(entry.size, 11)}\0`);
  else putBase256(header, entry.size);
  put(136, `${octal(mtimeSec, 11)}\0`);
  put(156, "0");
  put(257, "ustar\x0000");
  header.set(prefix, 345);
  put(sumField.start, `${octal(sumOf(header), 6)}\0 `);
  return header;
}

function decodeHeader(header: Uint8Array): TarEntry {
  if (text(header, 257, 263) !== "ustar" || header[156] !== 0x30) {
    throw new TarError("not an archive of plain files in ustar format");
  }
  if (Number.parseInt(text(header, sumField.start, sumField.end), 8) !== sumOf(header)) {
    throw new TarError("the sum of an archive header is wrong");
  }
  const name = text(header, 0, 100);
  const prefix = text(header, 345, 500);
  const size = decodeSize(header);
  if (!Number.isSafeInteger(size) || size < 0) throw new TarError(`the size of ${name} is wrong`);
  return { path: prefix === "" ? name : `${prefix}/${name}`, size };
}

function decodeSize(header: Uint8Array): number {
  if (header[sizeField.start] !== 0x80) {
    return Number.parseInt(text(header, sizeField.start, sizeField.end), 8);
  }
  let size = 0;
  for (const byte of header.subarray(sizeField.start + 1, sizeField.end)) size = size * 256 + byte;
  return size;
}

function putBase256(header: Uint8Array, size: number): void {
  let rest = size;
  for (let at = sizeField.end - 1; at > sizeField.start; at--) {
    header[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  header[sizeField.start] = 0x80;
}

/** Bytes, because ustar counts those. Cut at the last slash that leaves both parts short enough. */
function splitPath(path: string): { name: Uint8Array; prefix: Uint8Array } {
  const encode = (part: string) => new TextEncoder().encode(part);
  if (encode(path).length <= 100) return { name: encode(path), prefix: new Uint8Array(0) };
  for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
    const name = encode(path.slice(cut + 1));
    const prefix = encode(path.slice(0, cut));
    if (name.length <= 100 && prefix.length <= 155) return { name, prefix };
  }
  throw new TarError(`the path is too long for an archive: ${path}`);
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");

function text(header: Uint8Array, start: number, end: number): string {
  const field = header.subarray(start, end);
  const stop = field.indexOf(0);
  return new TextDecoder().decode(stop < 0 ? field : field.subarray(0, stop));
}

function sumOf(header: Uint8Array): number {
  let sum = 0;
  for (const [at, byte] of header.entries()) {
    sum += at >= sumField.start && at < sumField.end ? 0x20 : byte;
  }
  return sum;
}
