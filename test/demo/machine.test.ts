/** The demo machine as a wire: bytes both ways, reset, several at once, switching off, and guests that mean harm. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { nextEvent } from '../../src/engine/base/emitter';
import { openDemoMachine, type DemoMachine, type DemoMachineOptions } from '../../src/engine/wire/demo';
import { DemoProcessor, compileMachine, Stop } from '../../src/engine/wire/demoProcessor';
import type { Wire } from '../../src/engine/wire/wire';
import { exceptionState, KdSession, loadSymbolsState, requestSize } from './kdSession';
import { testImage } from './machineTools';
import { Random } from './randomCases';

const root = join(__dirname, '..', '..');
const opened: DemoMachine[] = [];

async function open(options: DemoMachineOptions = {}): Promise<DemoMachine> {
  const machine = await openDemoMachine({ keepAlive: true, ...options });
  opened.push(machine);
  return machine;
}

const openEcho = async (options: DemoMachineOptions = {}) =>
  open({ image: await testImage('echo'), ...options });

afterEach(() => {
  for (const machine of opened.splice(0)) machine.dispose();
});

/** Collects what comes until `done` says so. What was kept comes before the subscription is there to be ended. */
function collect(wire: Wire, done: (bytes: Buffer) => boolean): Promise<Buffer> {
  let all = Buffer.alloc(0);
  return new Promise<Buffer>((resolve) => {
    const subscription = wire.data((bytes) => {
      all = Buffer.concat([all, bytes]);
      if (!done(all)) return;
      queueMicrotask(() => subscription.dispose());
      resolve(all);
    });
  });
}

describe('the demo machine', () => {
  it('loses no byte, however many are written at once', async () => {
    const { wire } = await openEcho();
    const sent = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i % 251));
    const echo = collect(wire, (bytes) => bytes.length > sent.length);
    for (let at = 0; at < sent.length; at += 7000) void wire.write(sent.subarray(at, at + 7000));
    expect((await echo).subarray(1).equals(sent)).toBe(true);
  });

  it('keeps what was sent before anybody listened', async () => {
    const { wire } = await openEcho();
    await wire.write(Buffer.from('early'));
    expect((await collect(wire, (bytes) => bytes.length === 6)).toString()).toBe('>early');
  });

  it('accepts a write only when the guest has room for it', async () => {
    const { wire } = await openEcho();
    const big = wire.write(new Uint8Array(20_000));
    let done = false;
    void big.then(() => (done = true));
    await wire.write(new Uint8Array()); // queued behind it
    expect(done).toBe(true);
  });

  it('boots again after a reset of its own or by hand', async () => {
    let resets = 0;
    const machine = await openEcho({ onReset: () => resets++ });
    const output = collect(machine.wire, (bytes) => bytes.toString() === '>a>b');
    await machine.wire.write(Uint8Array.of(0x61, 0xff));
    await collect(machine.wire, (bytes) => bytes.includes(0x3e));
    await machine.wire.write(Uint8Array.of(0x62));
    await output;
    expect(resets).toBe(1);
    const again = collect(machine.wire, () => true);
    machine.reset();
    expect((await again).toString()).toBe('>');
    expect(resets).toBe(1);
  });

  it('does next to nothing while its guest waits for input', async () => {
    const machine = await openEcho();
    await collect(machine.wire, (bytes) => bytes.length === 1);
    const before = machine.executed;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(machine.executed - before).toBeLessThan(1_000_000);
  });

  it('is silent after it was switched off', async () => {
    const machine = await openEcho();
    await machine.wire.write(Uint8Array.of(0xfe)); // the guest sleeps for ever
    const stuck = machine.wire.write(new Uint8Array(10_000));
    const closed = nextEvent(machine.wire.closed);
    machine.wire.close();
    machine.dispose();
    await expect(stuck).rejects.toThrow('The demo machine is switched off.');
    await expect(machine.wire.write(Uint8Array.of(1))).rejects.toThrow('switched off');
    expect(await closed).toBeUndefined();
  });

  it('runs beside others of its kind', async () => {
    const machines = await Promise.all([openEcho(), openEcho(), open()]);
    const texts = machines.slice(0, 2).map(async ({ wire }, i) => {
      const echo = collect(wire, (bytes) => bytes.length === 4);
      await wire.write(Buffer.from(`${i}${i}${i}`));
      return (await echo).toString();
    });
    expect(await Promise.all(texts)).toEqual(['>000', '>111']);
    await collect(machines[2]!.wire, () => true);
  });

  it('runs the demo kernel, which reports itself and answers a break-in', async () => {
    const { wire } = await open();
    const session = new KdSession((bytes) => void wire.write(bytes)); // breaks in with its first acknowledgement
    wire.data((bytes) => session.receive(bytes));
    expect((await session.next()).readUInt32LE(0)).toBe(loadSymbolsState);
    session.continueLoad();
    expect((await session.next()).readUInt32LE(0)).toBe(exceptionState);
    expect((await session.read(0x100040n, 8, 0x313d)).subarray(requestSize).toString()).toBe('DEMOIMG1');
  });

  it('finds its files beside a bundle, and does not keep the process alive', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'machine-bundle-'));
    try {
      const entry = join(folder, 'entry.ts');
      const source = JSON.stringify(join(root, 'src', 'engine', 'wire', 'demo'));
      await writeFile(
        entry,
        `import { openDemoMachine } from ${source};
         void openDemoMachine().then(({ wire }) => {
           console.log('on');
           const alive = setInterval(() => {}, 1000);
           wire.data(() => clearInterval(alive));
         });`,
      );
      const dist = join(folder, 'dist');
      await mkdir(join(dist, 'demo'), { recursive: true });
      const outfile = join(dist, 'bundle.js');
      await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'cjs' });
      const run = () => promisify(execFile)(process.execPath, [outfile], { timeout: 20_000 });
      await expect(run()).rejects.toThrow('is missing');
      for (const file of ['machine.wasm', 'demo.img']) {
        await copyFile(join(root, 'demo', 'out', file), join(dist, 'demo', file));
      }
      expect((await run()).stdout).toBe('on\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 60_000);
});

describe('a hostile guest', () => {
  it('cannot make the machine fail: random code, page tables, descriptors and stacks', async () => {
    const wasm = await compileMachine(await readFile(join(root, 'demo', 'out', 'machine.wasm')));
    const program = await testImage('random');
    const main = Number(program.readBigUInt64LE(0x50)) - 0x100000;
    const random = new Random(4711);
    for (let round = 0; round < 150; round++) {
      const image = Buffer.from(program);
      for (let at = main; at < main + 2048; at++) image[at] = random.below(256);
      // The boot record's fields, and bytes all over the tables.
      if (round % 3 === 1) image.writeBigUInt64LE(random.bits64(), 0x48 + 8 * random.below(10));
      if (round % 3 === 2)
        for (let i = 0; i < 40; i++) image[0x2000 + random.below(image.length - 0x2000)] = random.below(256);
      const processor = await DemoProcessor.create(wasm, image, 2 << 20);
      for (let slice = 0; slice < 4; slice++) {
        const reason = processor.run(10_000);
        processor.takeOutput();
        processor.offerInput(Buffer.from('random bytes for the receiver'));
        if (reason & Stop.reset) processor.reset();
      }
      expect(processor.executed).toBeGreaterThan(0);
    }
  }, 60_000);

  it('is told nothing but the truth about an image that does not fit', async () => {
    const image = new Uint8Array(3 << 20);
    await expect(openDemoMachine({ image, ram: 2 << 20 })).rejects.toThrow('does not fit');
    await expect(openDemoMachine({ image })).rejects.toThrow('no boot record');
    await expect(openDemoMachine({ ram: 17 })).rejects.toThrow('2 MB to 1 GB');
  });
});
