/** Makes MSF files for tests: streams in, file out. */

/** A stream that is null is nil. Blocks of a stream lie in descending order, so that none follows the one before it. */
export function buildMsf(streams: readonly (Uint8Array | null)[], blockSize = 4096): Uint8Array {
  const blocksOf = (size: number) => Math.ceil(size / blockSize);
  let next = 4;
  const lists = streams.map((stream) => {
    const count = blocksOf(stream?.length ?? 0);
    const list = Array.from({ length: count }, (_, i) => next + count - 1 - i);
    next += count;
    return list;
  });
  const words = [
    streams.length,
    ...streams.map((stream) => (stream === null ? 0xffff_ffff : stream.length)),
    ...lists.flat(),
  ];
  const directory = new Uint8Array(Uint32Array.from(words).buffer);
  const directoryBlocks = Array.from({ length: blocksOf(directory.length) }, () => next++);
  // Block 3 holds the list of the directory's blocks; it is enough for tests.
  const file = new Uint8Array(next * blockSize);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode('Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0'));
  [blockSize, 1, next, directory.length, 0, 3].forEach((word, i) => view.setUint32(32 + 4 * i, word, true));
  directoryBlocks.forEach((block, i) => view.setUint32(3 * blockSize + 4 * i, block, true));
  const put = (content: Uint8Array, list: readonly number[]) =>
    list.forEach((block, i) =>
      file.set(content.subarray(i * blockSize, (i + 1) * blockSize), block * blockSize),
    );
  put(directory, directoryBlocks);
  streams.forEach((stream, i) => stream && put(stream, lists[i] ?? []));
  return file;
}
