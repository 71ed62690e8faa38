import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/engine/base/errors';
import { TargetRunningError } from '../../../src/engine/target/target';
import { memoryWirePair } from '../../../src/engine/wire/memory';
import { noisyWirePair } from '../../support/noisyWire';
import { codeBase, FakeKdTarget } from '../../targets/fakeKdTarget';
import { harness, stoppedHarness } from './harness';

describe('losing and finding the target', () => {
  it('sees a restart, says so, and works again', async () => {
    const { target, fake, clock, log, run, nextStop } = await stoppedHarness();
    target.insertBreakpoint(codeBase + 4n);
    await run(target.resume({ mode: 'go' }));
    await nextStop(() => target.breakIn());
    log.length = 0;
    await run(target.reboot());
    expect(fake.rebooted).toBe(1);
    await clock.until(fake.print('booting\n'));
    expect(log).toEqual([
      'lost: The target reboots.',
      'unloadAll ',
      'connecting: Waiting to reconnect...',
      'connecting: The target has restarted; reconnecting...',
      'output: booting\n',
      'running: Connected.',
    ]);
    expect(await nextStop(() => target.breakIn())).toMatchObject({ reason: 'breakIn' });
    // The breakpoint is wanted still.
    await run(target.resume({ mode: 'go' }));
    expect(fake.peek(codeBase + 4n)).toBe(0xcc);
  });

  it('notices a reset while the target was running or stopped', async () => {
    const { target, fake, clock, log, run } = await stoppedHarness();
    fake.restart();
    log.length = 0;
    await clock.until(fake.print('again\n'));
    expect(log[0]).toBe('lost: The target has restarted.');
    expect(target.state).toBe('running');
    await expect(run(target.readVirtual(0n, 1))).rejects.toBeInstanceOf(TargetRunningError);
  });

  it('opens the wire again by itself', async () => {
    const clockWires = [memoryWirePair(), memoryWirePair()];
    let opened = 0;
    const { target, clock, log, nextStop } = harness({
      wires: clockWires[0]!,
      initialBreak: true,
      source: {
        open: () => {
          const pair = clockWires[opened++];
          return pair ? Promise.resolve(pair[0]) : Promise.reject(new UserError('Nothing listens.'));
        },
      },
    });
    await nextStop();
    const second = new FakeKdTarget(clockWires[1]![1], { clock });
    log.length = 0;
    clockWires[0]![1].close();
    await clock.advance(500);
    expect(log.filter((line) => line !== 'unloadAll ')).toEqual([
      'lost: The connection to the test wire was closed.',
      'connecting: Waiting to reconnect... (The connection to the test wire was closed.)',
      'connecting: Opened the test wire; waiting for the target.',
    ]);
    expect(await nextStop(() => target.breakIn())).toMatchObject({ reason: 'breakIn' });
    clockWires[1]![1].close();
    await clock.advance(60_000);
    expect(opened).toBeGreaterThan(50);
    expect(target.detail).toBe('Waiting to reconnect... (Nothing listens.)');
    expect(second.state).toBe('stopped');
  });

  it('finds the state of a target that was silent for a while', async () => {
    const { target, fake, clock, run, log } = await stoppedHarness();
    fake.silent = true;
    await expect(run(target.readVirtual(codeBase + 0x4000n, 1))).rejects.toThrow('does not answer');
    expect(target.state).toBe('connecting');
    expect(log).toContain('lost: The target does not answer any more.');
    fake.silent = false;
    await clock.advance(5000);
    expect(target.state).toBe('stopped');
  });

  it('crashes the target on demand', async () => {
    const { target, nextStop } = await stoppedHarness();
    expect(await nextStop(() => target.crash())).toMatchObject({ reason: 'exception' });
  });

  it('closes while connecting, running, stopped and silent, and only once', async () => {
    for (const prepare of ['connecting', 'running', 'stopped', 'silent']) {
      const { target, fake, run, log } = prepare === 'connecting' ? harness() : await stoppedHarness();
      if (prepare === 'running') await run(target.resume({ mode: 'go' }));
      fake.silent = prepare === 'silent';
      await run(Promise.all([target.close(), target.close()]));
      await run(target.close());
      expect(log.filter((line) => line.startsWith('closed'))).toEqual(['closed: Closed.']);
      await expect(target.readVirtual(0n, 1)).rejects.toBeInstanceOf(UserError);
    }
  });
});

describe('over a bad line', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('does all of it (seed %i)', async (seed) => {
    const wires = noisyWirePair({ seed, drop: 0.08, duplicate: 0.05, damage: 0.08 });
    const { target, fake, run, nextStop } = await stoppedHarness({ wires, processors: 2 });
    fake.poke(codeBase + 8n, [0xeb, 0xf6]);
    fake.poke(
      0x4000n,
      Uint8Array.from({ length: 4096 }, (_, i) => i),
    );
    const registers = await run(target.readRegisters(0));
    registers.set('rip', codeBase);
    await run(target.writeRegisters(0, registers));
    target.insertBreakpoint(codeBase + 4n);
    for (let i = 0; i < 5; i++) {
      expect(await nextStop(() => target.resume({ mode: 'go' }))).toMatchObject({ pc: codeBase + 4n });
      expect(await run(target.readVirtual(0x4000n, 4096))).toHaveLength(4096);
      expect(await run(target.writeVirtual(0x4000n, Uint8Array.of(i)))).toBe(1);
      expect(await nextStop(() => target.resume({ mode: 'step' }))).toMatchObject({ pc: codeBase + 5n });
    }
    expect(fake.peek(0x4000n)).toBe(4);
  });
});
