// Reads PE files and gives them the form they have in memory: headers and sections at their addresses, imports
// resolved against the other images of the machine.

const DIRECTORY_EXPORT = 0;
const DIRECTORY_IMPORT = 1;

/** Parses the headers of a 64-bit PE. `mapped` is its memory image with SizeOfImage bytes. */
export function parsePe(name, file) {
  const pe = file.readUInt32LE(0x3c);
  if (file.readUInt32LE(pe) !== 0x4550) throw new Error(`${name} is not a PE file`);
  const optional = pe + 24;
  const sectionTable = optional + file.readUInt16LE(pe + 20);
  const image = {
    name,
    entryRva: file.readUInt32LE(optional + 16),
    base: file.readBigUInt64LE(optional + 24),
    size: file.readUInt32LE(optional + 56),
    headerSize: file.readUInt32LE(optional + 60),
    directory: (index) => ({
      rva: file.readUInt32LE(optional + 112 + index * 8),
      size: file.readUInt32LE(optional + 116 + index * 8),
    }),
    sections: [],
  };
  for (let i = 0; i < file.readUInt16LE(pe + 6); i++) {
    const at = sectionTable + i * 40;
    image.sections.push({
      virtualSize: file.readUInt32LE(at + 8),
      rva: file.readUInt32LE(at + 12),
      rawSize: file.readUInt32LE(at + 16),
      rawOffset: file.readUInt32LE(at + 20),
      executable: (file.readUInt32LE(at + 36) & 0x20000000) !== 0,
      writable: (file.readUInt32LE(at + 36) & 0x80000000) !== 0,
    });
  }
  image.mapped = Buffer.alloc(Math.ceil(image.size / 4096) * 4096);
  file.copy(image.mapped, 0, 0, image.headerSize);
  for (const s of image.sections) {
    file.copy(image.mapped, s.rva, s.rawOffset, s.rawOffset + Math.min(s.rawSize, s.virtualSize));
  }
  return image;
}

/** Fills in the header's checksum: the 16-bit sum with carry of the whole file, plus its length. */
export function setChecksum(file) {
  const field = file.readUInt32LE(0x3c) + 88;
  file.writeUInt32LE(0, field);
  let sum = 0;
  for (let at = 0; at + 1 < file.length; at += 2) {
    sum += file.readUInt16LE(at);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  file.writeUInt32LE(sum + file.length, field);
  return file;
}

function text(buffer, at) {
  return buffer.toString('latin1', at, buffer.indexOf(0, at));
}

/** Names to RVAs of everything an image exports. */
export function exportsOf(image) {
  const { rva } = image.directory(DIRECTORY_EXPORT);
  const result = new Map();
  if (rva === 0) return result;
  const m = image.mapped;
  const functions = m.readUInt32LE(rva + 28);
  const names = m.readUInt32LE(rva + 32);
  const ordinals = m.readUInt32LE(rva + 36);
  for (let i = 0; i < m.readUInt32LE(rva + 24); i++) {
    const ordinal = m.readUInt16LE(ordinals + i * 2);
    result.set(text(m, m.readUInt32LE(names + i * 4)), m.readUInt32LE(functions + ordinal * 4));
  }
  return result;
}

/** Writes the addresses of imported functions and variables into the image's import address tables. */
export function resolveImports(image, others) {
  const { rva } = image.directory(DIRECTORY_IMPORT);
  const m = image.mapped;
  for (let at = rva; rva !== 0 && m.readUInt32LE(at + 12) !== 0; at += 20) {
    const from = others.find((o) => o.name === text(m, m.readUInt32LE(at + 12)));
    if (!from)
      throw new Error(`${image.name} imports from ${text(m, m.readUInt32LE(at + 12))}, which is not here`);
    const available = exportsOf(from);
    const lookup = m.readUInt32LE(at) || m.readUInt32LE(at + 16);
    for (let i = 0; m.readBigUInt64LE(lookup + i * 8) !== 0n; i++) {
      const name = text(m, Number(m.readBigUInt64LE(lookup + i * 8)) + 2);
      const target = available.get(name);
      if (target === undefined)
        throw new Error(`${image.name} needs ${name}, which ${from.name} does not export`);
      m.writeBigUInt64LE(from.base + BigInt(target), m.readUInt32LE(at + 16) + i * 8);
    }
  }
}
