import { describe, expect, it } from 'vitest';
import { x64 } from '../../../src/engine/arch/x64';
import { UserError } from '../../../src/engine/base/errors';
import { Api } from '../../../src/engine/kd/manipulate';
import {
  hasMsrAccess,
  isCrashable,
  isRebootable,
  TargetRunningError,
} from '../../../src/engine/target/target';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import type { FakeKdTarget } from '../../targets/fakeKdTarget';
import { breakInRoutine, codeBase } from '../../targets/fakeKdTarget';
import { harness, stoppedHarness } from './harness';

const count = (fake: FakeKdTarget, api: number) => fake.log.filter((entry) => entry.api === api).length;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('connecting', () => {
  it('breaks in when asked to, and knows the target then', async () => {
    const { target, log } = await stoppedHarness({ processors: 2 });
    expect(target.architecture).toBe(x64);
    expect(target.version).toEqual({
      majorVersion: 15,
      build: 9600,
      machineType: 0x8664,
      multiprocessor: true,
      kernelBase: 0xfffff80000000000n,
      loadedModuleList: 0xfffff80000001000n,
      debuggerDataList: 0xfffff80000002000n,
    });
    expect(target.processorCount).toBe(2);
    expect(target.stop).toMatchObject({ reason: 'breakIn', processor: 0, pc: breakInRoutine });
    expect(target.stop?.exception?.code).toBe(0x80000003);
    expect(log).toEqual([
      'connecting: Opening the test wire...',
      'connecting: Opened the test wire; waiting for the target.',
      'stopped: Stopped on processor 0.',
      `stop breakIn ${breakInRoutine.toString(16)}`,
    ]);
    expect(isRebootable(target) && hasMsrAccess(target) && isCrashable(target)).toBe(true);
  });

  it('waits without disturbing a running target, and is connected by what it says', async () => {
    const { target, clock, fake, log } = harness();
    await clock.advance(60_000);
    expect(target.state).toBe('connecting');
    expect(fake.state).toBe('running');
    await clock.until(fake.print('hello\n'));
    expect(target.state).toBe('running');
    expect(log.slice(-2)).toEqual(['output: hello\n', 'running: Connected.']);
  });

  it('finds a target that was stopped before', async () => {
    const wires = memoryWirePair();
    const first = harness({ wires });
    first.fake.exception(0xc0000005, [0n, 5n]);
    // The first debugger takes the state change and goes away without continuing.
    await first.clock.advance(10);
    expect(first.target.state).toBe('stopped');
    expect(first.target.stop?.exception?.parameters).toEqual([0n, 5n]);
  });

  it('says that something else than KD is talking', async () => {
    const wires = memoryWirePair();
    const { clock, target } = harness({ wires });
    await wires[1].write(Buffer.from('SeaBIOS (version 1.16)\r\nBooting from ROM..\r\n'.repeat(3)));
    await clock.advance(0);
    expect(target.detail).toBe(
      'Bytes arrive from the test wire, but no KD packet (firmware output, or a wrong baud rate?).',
    );
  });

  it('gives up at once when the wire cannot be opened', async () => {
    const { clock, target } = harness({
      source: { open: () => Promise.reject(new UserError(`There is no pipe 'x'.`)) },
    });
    await clock.advance(0);
    expect([target.state, target.detail]).toEqual(['closed', `There is no pipe 'x'.`]);
  });

  it('goes on trying with reconnect, saying why', async () => {
    const [near, far] = memoryWirePair();
    let tries = 0;
    const { clock, target, nextStop } = harness({
      wires: [near, far],
      initialBreak: true,
      source: {
        keepTrying: true,
        open: () => (++tries < 10 ? Promise.reject(new UserError('No pipe.')) : Promise.resolve(near)),
      },
    });
    await clock.advance(2000);
    expect(target.detail).toBe('Waiting to reconnect... (No pipe.)');
    await nextStop();
    expect(tries).toBe(10);
  });

  it('refuses another kind of machine, and lets it go', async () => {
    const { clock, target, fake } = harness({ machineType: 0xaa64, initialBreak: true });
    await clock.advance(5000);
    expect(target.state).toBe('closed');
    expect(target.detail).toBe(`The target's machine type 0xaa64 is not supported; only x64 (0x8664) is.`);
    expect(count(fake, Api.continue)).toBe(1);
  });

  it('clears the breakpoints an earlier debugger left', async () => {
    const wires = memoryWirePair();
    const all = harness({ wires, initialBreak: true });
    all.fake.poke(codeBase, [0xcc]);
    all.fake.breakpoints[6] = { address: codeBase, original: 0x90 };
    await all.nextStop();
    expect(all.fake.peek(codeBase)).toBe(0x90);
  });

  it('limits RESETs unless told not to', async () => {
    const resets = async (unlimitedResets: boolean) => {
      const [near, far] = memoryWirePair();
      let bytes = 0;
      far.data((data) => (bytes += data.length === 16 ? 1 : 0));
      const { clock } = harness({
        wires: [near, memoryWirePair()[1]],
        initialBreak: true,
        source: { unlimitedResets },
      });
      await clock.advance(60_000);
      return bytes;
    };
    expect(await resets(false)).toBe(8);
    expect(await resets(true)).toBe(30);
  });
});

describe('memory', () => {
  it('reads through a cache that lives while the target is stopped', async () => {
    const { target, fake, run, nextStop } = await stoppedHarness();
    fake.poke(
      0x2000n,
      Uint8Array.from({ length: 4096 }, (_, i) => i),
    );
    const before = count(fake, Api.readVirtualMemory);
    expect(hex(await run(target.readVirtual(0x2010n, 4)))).toBe('10111213');
    expect(hex(await run(target.readVirtual(0x2020n, 2)))).toBe('2021');
    expect(count(fake, Api.readVirtualMemory) - before).toBe(1);
    fake.poke(0x2010n, [0xff]);
    expect(hex(await run(target.readVirtual(0x2010n, 1)))).toBe('10');
    await nextStop(() => target.resume({ mode: 'step' }));
    expect(hex(await run(target.readVirtual(0x2010n, 1)))).toBe('10');
    await nextStop(() => target.resume({ mode: 'step' }));
    expect(hex(await run(target.readVirtual(0x2010n, 1)))).toBe('ff');
  });

  it('ends before the first unreadable byte', async () => {
    const { target, fake, run } = await stoppedHarness();
    fake.poke(0x2ff0n, new Array<number>(16).fill(7));
    expect(hex(await run(target.readVirtual(0x2ffcn, 8)))).toBe('07070707');
    expect(await run(target.readVirtual(0x9000n, 8))).toHaveLength(0);
    expect(await run(target.readVirtual(0xfffffffffffffff8n, 100))).toHaveLength(0);
    expect(await run(target.readVirtual(0x2ff0n, 0))).toHaveLength(0);
  });

  it('fetches big ranges in few packets, and small packets until it has all', async () => {
    for (const readLimit of [undefined, 1000]) {
      const { target, fake, run } = await stoppedHarness({ readLimit });
      const bytes = Uint8Array.from({ length: 65536 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
      fake.poke(0x100000n, bytes);
      const before = count(fake, Api.readVirtualMemory);
      expect(Buffer.compare(await run(target.readVirtual(0x100000n, 65536)), bytes)).toBe(0);
      if (!readLimit) expect(count(fake, Api.readVirtualMemory) - before).toBe(19);
      expect(
        Buffer.compare(await run(target.readPhysical(0x100ff0n, 5000)), bytes.subarray(0xff0, 0xff0 + 5000)),
      ).toBe(0);
    }
  });

  it('reads the same page once for many who ask at once', async () => {
    const { target, fake, run } = await stoppedHarness();
    fake.poke(0x2000n, [1]);
    const before = count(fake, Api.readVirtualMemory);
    await run(Promise.all(Array.from({ length: 20 }, (_, i) => target.readVirtual(0x2000n + BigInt(i), 8))));
    expect(count(fake, Api.readVirtualMemory) - before).toBe(1);
  });

  it('writes, over pages, and reads back what it wrote', async () => {
    const { target, fake, run } = await stoppedHarness();
    fake.poke(0x2000n, new Uint8Array(8192));
    await run(target.readVirtual(0x2ff0n, 32));
    expect(await run(target.writeVirtual(0x2ffen, Uint8Array.of(1, 2, 3, 4)))).toBe(4);
    expect(hex(await run(target.readVirtual(0x2ffcn, 8)))).toBe('0000010203040000');
    expect(await run(target.writeVirtual(0x3ffen, Uint8Array.of(1, 2, 3, 4)))).toBe(2);
    expect(await run(target.writePhysical(0x2000n, Uint8Array.of(9)))).toBe(1);
    expect(hex(await run(target.readVirtual(0x2000n, 1)))).toBe('09');
  });

  it('refuses while the target runs, and absurd lengths always', async () => {
    const { target, run, nextStop } = await stoppedHarness();
    await expect(target.readVirtual(0n, 1e9)).rejects.toBeInstanceOf(UserError);
    await run(target.resume({ mode: 'go' }));
    for (const attempt of [
      () => target.readVirtual(0n, 1),
      () => target.writeVirtual(0n, new Uint8Array(1)),
      () => target.readPhysical(0n, 1),
      async () => target.writePhysical(0n, new Uint8Array(1)),
      () => target.readRegisters(0),
      () => target.resume({ mode: 'go' }),
      () => target.readMsr(0, 1),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(TargetRunningError);
    }
    await nextStop(() => target.breakIn());
  });
});

describe('registers', () => {
  it.each([true, false])('reads and writes them (GetContextEx: %s)', async (contextEx) => {
    const { target, fake, run } = await stoppedHarness({ contextEx, processors: 2, specialSize: 0xd8 });
    const registers = await run(target.readRegisters(1));
    expect(registers.pc).toBe(codeBase + 64n);
    registers.set('rax', 0x1122334455667788n);
    registers.set('cr2', 0x77n);
    await run(target.writeRegisters(1, registers));
    expect(hex(fake.processors[1]!.context.subarray(0x78, 0x80))).toBe('8877665544332211');
    expect(fake.processors[1]!.special[8]).toBe(0x77);
    expect((await run(target.readRegisters(1))).get('rax')).toBe(0x1122334455667788n);
    expect(count(fake, contextEx ? Api.setContextEx : Api.setContext)).toBe(contextEx ? 3 : 1);
    const before = fake.log.length;
    await run(target.writeRegisters(1, await run(target.readRegisters(1))));
    expect(fake.log.length).toBe(before);
    await expect(target.readRegisters(2)).rejects.toThrow(
      'There is no processor 2; the target has processors 0 to 1.',
    );
  });

  it('keeps DR7 in force when going', async () => {
    const { target, fake, run } = await stoppedHarness();
    const registers = await run(target.readRegisters(0));
    registers.set('dr7', 0x403n);
    await run(target.writeRegisters(0, registers));
    await run(target.resume({ mode: 'go' }));
    expect(fake.lastDr7).toBe(0x403n);
  });

  it('reads and writes MSRs', async () => {
    const { target, run } = await stoppedHarness();
    expect(await run(target.readMsr(0, 0xc0000080))).toBe(0xd01n);
    await run(target.writeMsr(0, 0xc0000082, 0xfffff80012345678n));
    expect(await run(target.readMsr(0, 0xc0000082))).toBe(0xfffff80012345678n);
    await expect(run(target.readMsr(0, 0x999))).rejects.toThrow(
      'Reading MSR 0x999 failed with status 0xc000000e.',
    );
  });
});

describe('going and stepping', () => {
  it('passes a breakpoint instruction in the code, and breaks in again', async () => {
    const { target, fake, run, nextStop } = await stoppedHarness();
    await run(target.resume({ mode: 'go' }));
    expect([target.state, fake.pc()]).toEqual(['running', codeBase + 64n]);
    const stop = await nextStop(() => target.breakIn());
    expect(stop).toMatchObject({ reason: 'breakIn', pc: breakInRoutine });
  });

  it('reports int3 in the code as an exception; a step over it does not run the target', async () => {
    const { target, fake, run, nextStop } = await stoppedHarness();
    fake.poke(codeBase + 70n, [0xcc, 0x90, 0xf4]);
    const registers = await run(target.readRegisters(0));
    registers.set('rip', codeBase + 70n);
    await run(target.writeRegisters(0, registers));
    expect(await nextStop(() => target.resume({ mode: 'go' }))).toMatchObject({
      reason: 'exception',
      pc: codeBase + 70n,
    });
    const before = count(fake, Api.continue2);
    expect(await nextStop(() => target.resume({ mode: 'step' }))).toMatchObject({
      reason: 'step',
      pc: codeBase + 71n,
      exception: undefined,
    });
    expect(count(fake, Api.continue2)).toBe(before);
    expect(await nextStop(() => target.resume({ mode: 'step' }))).toMatchObject({
      reason: 'step',
      pc: codeBase + 72n,
    });
  });

  it('steps', async () => {
    const { target, run, nextStop } = await stoppedHarness();
    const registers = await run(target.readRegisters(0));
    registers.set('rip', codeBase);
    await run(target.writeRegisters(0, registers));
    for (let i = 1n; i <= 3n; i++) {
      expect(await nextStop(() => target.resume({ mode: 'step' }))).toMatchObject({
        reason: 'step',
        pc: codeBase + i,
      });
    }
  });

  it('steps another processor than the one that stopped', async () => {
    const { target, fake, nextStop } = await stoppedHarness({ processors: 2 });
    fake.setPc(1, codeBase);
    const stop = await nextStop(() => target.resume({ mode: 'step', processor: 1 }));
    expect(stop).toMatchObject({ reason: 'step', processor: 1, pc: codeBase + 1n });
    expect(fake.current).toBe(1);
  });

  it('passes an exception on when not handled', async () => {
    const { target, fake, run, clock } = harness();
    fake.exception(0xc0000094);
    await clock.advance(10);
    expect(target.stop).toMatchObject({ reason: 'exception' });
    await run(target.resume({ mode: 'go', handled: false }));
    expect(target.state).toBe('running');
  });
});

describe('breakpoints', () => {
  async function loop() {
    const all = await stoppedHarness();
    // codeBase: nop, nop, ... and back from codeBase + 8.
    all.fake.poke(codeBase + 8n, [0xeb, 0xf6]);
    const registers = await all.run(all.target.readRegisters(0));
    registers.set('rip', codeBase);
    await all.run(all.target.writeRegisters(0, registers));
    return all;
  }

  it('hits one again and again, stepping off it unseen', async () => {
    const { target, log, nextStop } = await loop();
    target.insertBreakpoint(codeBase + 4n);
    log.length = 0;
    for (let i = 0; i < 3; i++) {
      expect(await nextStop(() => target.resume({ mode: 'go' }))).toMatchObject({
        reason: 'breakpoint',
        pc: codeBase + 4n,
      });
    }
    expect(log.filter((line) => line.startsWith('stop '))).toHaveLength(3);
    expect(log.filter((line) => line.startsWith('running'))).toHaveLength(3);
    expect(await nextStop(() => target.resume({ mode: 'step' }))).toMatchObject({
      reason: 'step',
      pc: codeBase + 5n,
    });
  });

  it('hits one directly behind another', async () => {
    const { target, nextStop } = await loop();
    target.insertBreakpoint(codeBase + 4n);
    target.insertBreakpoint(codeBase + 5n);
    const pcs = [];
    for (let i = 0; i < 4; i++) pcs.push((await nextStop(() => target.resume({ mode: 'go' }))).pc - codeBase);
    expect(pcs).toEqual([4n, 5n, 4n, 5n]);
  });

  it('stops at once at one it was moved to only after stepping off it', async () => {
    const { target, nextStop } = await loop();
    target.insertBreakpoint(codeBase);
    expect((await nextStop(() => target.resume({ mode: 'go' }))).pc).toBe(codeBase);
  });

  it('hides them in memory, keeps them out of written memory, and takes them away', async () => {
    const { target, fake, run, nextStop } = await loop();
    target.insertBreakpoint(codeBase + 4n);
    target.insertBreakpoint(codeBase + 40n);
    await nextStop(() => target.resume({ mode: 'go' }));
    expect(fake.peek(codeBase + 40n)).toBe(0xcc);
    expect(hex(await run(target.readVirtual(codeBase + 39n, 3)))).toBe('909090');
    await run(target.writeVirtual(codeBase + 40n, Uint8Array.of(0x91)));
    expect(fake.peek(codeBase + 40n)).toBe(0x91);
    await nextStop(() => target.resume({ mode: 'go' }));
    expect(fake.peek(codeBase + 40n)).toBe(0xcc);
    expect(hex(await run(target.readVirtual(codeBase + 40n, 1)))).toBe('91');
    target.removeBreakpoint(codeBase + 40n);
    await nextStop(() => target.resume({ mode: 'go' }));
    expect(fake.peek(codeBase + 40n)).toBe(0x91);
    await run(target.close());
    expect(fake.breakpoints.every((each) => each === undefined)).toBe(true);
  });

  it('breaks in while it steps off one', async () => {
    const { target, fake, nextStop } = await loop();
    target.insertBreakpoint(codeBase);
    fake.poke(codeBase + 1n, [0xf4]);
    // Asked for before the unseen step, which comes to its end as a stop that nobody asked for.
    target.stateChanged(({ state }) => state === 'running' && target.breakIn());
    const stop = await nextStop(() => target.resume({ mode: 'go' }));
    expect(stop).toMatchObject({ reason: 'breakIn', pc: breakInRoutine });
    expect(fake.peek(codeBase)).toBe(0xcc);
  });

  it('names the one that cannot be set, and stays stopped', async () => {
    const { target, fake, run } = await loop();
    target.insertBreakpoint(0x123456789n);
    await expect(run(target.resume({ mode: 'go' }))).rejects.toThrow(
      'The breakpoint at 00000001`23456789 cannot be set: its memory is not there or not writable.',
    );
    expect(target.state).toBe('stopped');
    target.removeBreakpoint(0x123456789n);
    for (let i = 0n; i < 33n; i++) target.insertBreakpoint(codeBase + 0x20n + i);
    await expect(run(target.resume({ mode: 'go' }))).rejects.toThrow('the target holds at most 32');
    expect(fake.state).toBe('stopped');
  });

  it('does not report the rest of a step that another stop has overtaken', async () => {
    const all = await stoppedHarness({ processors: 2 });
    const { target, fake, run, nextStop, clock, log } = all;
    // Processor 1 stops while processor 0 is made to step; the toy CPU is told to forget the step.
    const real = fake.resume.bind(fake);
    fake.resume = () => {
      fake.state = 'running';
      fake.current = 1;
      fake.exception(0xc0000094);
    };
    const registers = await run(target.readRegisters(0));
    registers.set('rip', codeBase);
    await run(target.writeRegisters(0, registers));
    expect(await nextStop(() => target.resume({ mode: 'step' }))).toMatchObject({
      reason: 'exception',
      processor: 1,
    });
    fake.resume = real;
    fake.setPc(1, codeBase + 64n);
    await run(target.resume({ mode: 'go' }));
    log.length = 0;
    fake.current = 0;
    fake.setPc(0, codeBase + 64n);
    fake.exception(0x80000004);
    await clock.advance(100);
    expect(log).toEqual([]);
    expect([target.state, fake.state]).toEqual(['running', 'running']);
  });
});

describe('what a running target tells', () => {
  it('prints, modules and commands, and goes on', async () => {
    const { target, fake, clock, log, run } = await stoppedHarness();
    await run(target.resume({ mode: 'go' }));
    log.length = 0;
    await clock.until(fake.print('grüße\n'));
    fake.loadSymbols('\\SystemRoot\\a.sys', 0xfffff80000100000n, 0x5000);
    await clock.advance(10);
    fake.loadSymbols('\\SystemRoot\\a.sys', 0xfffff80000100000n, 0x5000, true);
    await clock.advance(10);
    fake.loadSymbols('', 0xffffffffffffffffn, 0, true);
    await clock.advance(10);
    fake.commandString('name', 'r; g');
    await clock.advance(10);
    expect(log).toEqual([
      'output: grüße\n',
      'load \\SystemRoot\\a.sys',
      'unload \\SystemRoot\\a.sys',
      'unloadAll ',
      'output: Command from the target, not run: name r; g\n',
    ]);
    expect(fake.state).toBe('running');
  });

  it('brings new breakpoints in at a module load', async () => {
    const { target, fake, clock, run } = await stoppedHarness();
    await run(target.resume({ mode: 'go' }));
    target.insertBreakpoint(codeBase);
    target.insertBreakpoint(0x1n);
    const texts: string[] = [];
    target.output((text) => texts.push(text));
    fake.loadSymbols('a.sys', 1n, 1);
    await clock.advance(10);
    expect(fake.peek(codeBase)).toBe(0xcc);
    expect(texts.join('')).toContain('00000000`00000001 cannot be set');
    expect(fake.state).toBe('running');
  });

  it('answers prompts and file requests', async () => {
    const { fake, clock, run, target } = await stoppedHarness({
      onPrompt: () => Promise.resolve('go on please'),
    });
    await run(target.resume({ mode: 'go' }));
    const prompt = new Uint8Array(20);
    const view = new DataView(prompt.buffer);
    view.setUint32(0, 0x3231, true);
    view.setUint32(8, 4, true);
    view.setUint32(12, 5, true);
    prompt.set(Buffer.from('ok? '), 16);
    const file = new Uint8Array(80).fill(1);
    // The fake takes packets only while it has one of its own under way, as a target that waits for the answer does.
    void fake.send(3, prompt);
    void fake.send(11, file);
    fake.state = 'stopped';
    await clock.advance(2000);
    fake.replies.sort((a, b) => a.type - b.type);
    expect(fake.replies.map(({ type }) => type)).toEqual([3, 11]);
    expect(Buffer.from(fake.replies[0]!.payload.subarray(16)).toString()).toBe('go on');
    expect(hex(fake.replies[1]!.payload.subarray(4, 8))).toBe('0f0000c0');
  });
});
