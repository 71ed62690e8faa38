/** A kernel target behind a pipe of this machine, as a virtual machine's serial port is. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/engine/base/clock';
import { listenPipe } from '../../../src/engine/wire/pipe';
import type { Wire } from '../../../src/engine/wire/wire';
import { temporaryFolder } from '../../support/temporary';
import { FakeKdTarget } from '../../targets/fakeKdTarget';

export interface PipeTarget {
  /** What follows `-k`. */
  readonly connection: string;
  /** The machine is switched off: its pipe is gone until it is on again. */
  switchOff(): Promise<void>;
  switchOn(): Promise<void>;
}

export async function pipeTarget(on = true): Promise<PipeTarget> {
  const path =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\kd-${process.pid}-${count++}`
      : join(temporaryFolder(), 'com');
  const wires = new Set<Wire>();
  let listener: { close(): Promise<void> } | undefined;
  const switchOn = async () => {
    listener = await listenPipe(path, (wire) => {
      wires.add(wire);
      wire.closed(() => wires.delete(wire));
      new FakeKdTarget(wire, { clock: systemClock, processors: 2 });
    });
  };
  const switchOff = async () => {
    await listener?.close();
    for (const wire of [...wires]) wire.close();
  };
  onTestFinished(switchOff);
  if (on) await switchOn();
  return { connection: `com:pipe,port=${path},resets=0,reconnect`, switchOff, switchOn };
}

let count = 0;
