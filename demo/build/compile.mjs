// Compiles the kernel, the drivers and the boot page. Only relative paths reach the compiler, and the PDBs name
// sources as /demo/..., so the result does not depend on where the repository lies.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { setChecksum } from './pe.mjs';
import { run } from './tools.mjs';

const C_FLAGS = [
  '--target=x86_64-pc-windows-msvc',
  '-std=c11',
  '-g',
  '-gcodeview',
  '-ffreestanding',
  '-fno-builtin',
  '-fasynchronous-unwind-tables',
  '-fno-stack-protector',
  '-fms-extensions',
  '-mgeneral-regs-only',
  '-mno-red-zone',
  '-mno-stack-arg-probe',
  '-fno-strict-aliasing',
  '-ffile-compilation-dir=.',
  '-Wall',
  '-Wextra',
  '-Wno-multichar',
  '-Wno-four-char-constants',
  '-Wno-address-of-packed-member',
  '-Werror',
];

const LINK_FLAGS = [
  '/nologo',
  '/nodefaultlib',
  '/subsystem:native',
  '/driver',
  '/machine:x64',
  '/fixed',
  '/brepro',
  '/debug:full',
  '/align:4096',
  '/filealign:512',
  '/opt:noref',
  '/opt:noicf',
  '/incremental:no',
];

// Besides what the sources mark as exported: names that make a stack readable without a PDB.
const KERNEL_EXPORTS = [
  'DbgBreakPoint',
  'DbgBreakPointWithStatus',
  'KdpDebuggerDataListHead,DATA',
  'KdVersionBlock,DATA',
  'KiBugcheckData,DATA',
  'KiBreakpointTrap',
  'KiClockInterrupt',
  'KiDebugServiceTrap',
  'KiDebugTrapOrFault',
  'KiDivideErrorFault',
  'KiGeneralProtectionFault',
  'KiIdleLoop',
  'KiInitialPCR,DATA',
  'KiInvalidOpcodeFault',
  'KiNmiInterrupt',
  'KiPageFault',
  'KiProcessorBlock,DATA',
  'KiSwapContext',
  'KiSystemStartup',
  'KiThreadStartup',
  'PspSystemThreadStartup',
  'RtlpBreakWithStatusInstruction',
];

/** Every image: sources by folder, address, entry point. The kernel comes first: drivers link against it. */
export const IMAGES = [
  {
    name: 'demont.exe',
    pdb: 'demont.pdb',
    folders: ['kernel/ke', 'kernel/kd', 'kernel/mm', 'kernel/ps', 'kernel/io', 'kernel/rtl'],
    base: 0xfffff80000200000n,
    entry: 'KiSystemStartup',
    optimise: '-O1',
    define: ['-DDEMONT_KERNEL'],
    exports: KERNEL_EXPORTS,
    boot: true,
  },
  {
    name: 'demo.sys',
    pdb: 'demo.pdb',
    folders: ['drivers/demo'],
    base: 0xfffff80001000000n,
    entry: 'DriverEntry',
    optimise: '-O0',
    define: [],
    exports: [],
    boot: true,
  },
  {
    name: 'demoplug.sys',
    pdb: 'demoplug.pdb',
    folders: ['drivers/demoplug'],
    base: 0xfffff80001100000n,
    entry: 'DriverEntry',
    optimise: '-O1',
    define: [],
    exports: [],
    boot: false,
  },
];

function compileSources(tools, image, root, work) {
  const objects = [];
  for (const folder of image.folders) {
    for (const file of readdirSync(join(root, folder)).sort()) {
      const kind = extname(file);
      if (kind !== '.c' && kind !== '.S') continue;
      const source = `${folder}/${file}`;
      const object = join(work, `${source.replaceAll('/', '_')}.obj`);
      const flags = kind === '.c' ? [...C_FLAGS, image.optimise, ...image.define] : [C_FLAGS[0]];
      run(tools.clang, [...flags, '-c', source, '-o', object], root);
      objects.push(object);
    }
  }
  return objects;
}

/** Builds one PE and PDB into `work`/out, with object files and import libraries in `work`. Returns the PE's bytes. */
export function buildImage(tools, image, root, work) {
  const objects = compileSources(tools, image, root, work);
  // Relative names keep the linker's records free of absolute paths.
  const names = objects.map((path) => path.slice(work.length + 1));
  const libraries = image.name === 'demont.exe' ? [] : ['demont.lib'];
  run(
    tools.link,
    [
      ...LINK_FLAGS,
      `/out:out/${image.name}`,
      `/pdb:out/${image.pdb}`,
      `/pdbaltpath:${image.pdb}`,
      '/pdbsourcepath:/demo',
      `/implib:${image.name.replace(/\..*/, '.lib')}`,
      `/base:0x${image.base.toString(16)}`,
      `/entry:${image.entry}`,
      ...image.exports.map((name) => `/export:${name}`),
      ...names,
      ...libraries,
    ],
    work,
  );
  const bytes = setChecksum(readFileSync(join(work, 'out', image.name)));
  writeFileSync(join(work, 'out', image.name), bytes);
  return bytes;
}

/** Assembles the first page of demo.img and returns its bytes. */
export function buildBootPage(tools, root, work) {
  const object = join(work, 'boot.o');
  const binary = join(work, 'boot.bin');
  mkdirSync(dirname(object), { recursive: true });
  run(tools.clang, ['--target=x86_64-unknown-none-elf', '-c', 'kernel/boot/start.S', '-o', object], root);
  run(tools.objcopy, ['-O', 'binary', '-j', '.text', object, binary], root);
  return readFileSync(binary);
}
