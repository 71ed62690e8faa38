/** The built program on the demo kernel in QEMU, over a Unix socket and over a serial line. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openPtyPair } from '../support/ptyPair';
import { temporaryFolder } from '../support/temporary';
import { describeWhen, hasTool } from '../support/tools';
import { hasDemoImage } from '../targets/demo';
import { hasQemu, qemuProgram, startQemu, type QemuOptions } from '../targets/qemu';
import { runVskd, vskd, vskdOnTerminal } from './support/vskd';

const limit = 120_000;
/** Seconds; QEMU translates every instruction here. */
const patience = 60;

async function start(options: QemuOptions) {
  const qemu = await startQemu(options);
  onTestFinished(() => qemu.kill());
  return qemu;
}

function expectLog(stdout: string): void {
  for (const part of [
    /r\nrax=[0-9a-f]{16} /,
    /lm\nstart +end +module name\n/,
    /k\n # Child-SP +RetAddr +Call Site\n00 .+nt!/,
  ]) {
    expect(stdout).toMatch(new RegExp(`\\nkd> ${part.source}`));
  }
}

describeWhen(hasQemu() && hasDemoImage(), `${qemuProgram} and the demo kernel`, 'vskd and QEMU', () => {
  it('has a session over a Unix socket', { timeout: limit }, async () => {
    const path = join(temporaryFolder(), 's');
    await start({ serial: { kind: 'unix', path } });
    const { code, stdout } = await runVskd(['-k', `com:pipe,port=${path}`], 'r\nlm\nk\nq\n', patience);
    expectLog(stdout);
    expect(code).toBe(0);
  });

  it('reconnects when the target was rebooted, or killed and started again', { timeout: limit }, async () => {
    const path = join(temporaryFolder(), 's');
    const first = await start({ serial: { kind: 'unix', path } });
    const kd = vskd(['-k', `com:pipe,port=${path},resets=0,reconnect`]);
    kd.type('.echo reached\n');
    await kd.sees(/^reached$/m, patience);
    kd.type('.reboot\n');
    await kd.sees(/The target reboots\./, patience);
    await kd.sees(/Kernel Debugger connection established/, patience);
    await first.kill();
    await kd.sees(/Waiting to reconnect/, patience);
    await start({ serial: { kind: 'unix', path } });
    await kd.sees(/Kernel Debugger connection established/, patience);
    kd.endInput();
    expect((await kd.exit(patience)).code).toBe(0);
  });
});

const serialTools = hasQemu() && hasDemoImage() && hasTool('socat') && hasTool('python3');

describeWhen(serialTools, `${qemuProgram}, socat and python3`, 'vskd and QEMU on a serial line', () => {
  it('has a session over a pair of pseudo-terminals', { timeout: limit }, async () => {
    const pair = await openPtyPair(temporaryFolder());
    onTestFinished(() => pair.close());
    const kd = vskdOnTerminal(['-k', `com:port=${pair.a},baud=115200`, '-b']);
    await kd.sees(/waiting for the target/);
    await start({ serial: { kind: 'device', path: pair.b }, smp: 2 });
    await kd.sees(/kd> /, patience);
    for (const [command, answer] of [
      ['r', /rip=/],
      ['lm', /module name/],
      ['k', /Call Site/],
      ['t', /^[0-9a-f`]{17} [0-9a-f]{2,} /m],
    ] as const) {
      kd.type(`${command}\r`);
      await kd.sees(answer, patience);
      await kd.sees(/kd> /, patience);
    }
    kd.type('g\r');
    kd.type('.echo it runs\r');
    await kd.sees(/^it runs\r*\n/m, patience);
    kd.type('\x03');
    // Now that both processors are up, the prompt names the current one.
    await kd.sees(/Break instruction exception[^]*[01]: kd> /, patience);
    kd.type('q\r');
    expect((await kd.exit(patience)).code).toBe(0);
  });
});
