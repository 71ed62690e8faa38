/** A session stopped at 0xfffff80000001000 with one processor, and a client that knows it. */
import type { RegisterValue } from '../../../src/engine/session/protocol';
import { launchFake, type DapClient } from '../../support/dapClient';
import { FakeSession, stopAt } from '../../support/fakeSession';

export const pc = '0xfffff80000001000';

export async function stopped(
  configuration: object = {},
  capabilities: object = {},
): Promise<{ session: FakeSession; client: DapClient }> {
  const session = new FakeSession();
  const client = await launchFake(session, configuration, capabilities);
  session.stop(stopAt(pc));
  await client.waitFor('stopped');
  return { session, client };
}

export const registers: RegisterValue[] = [
  { name: 'rax', group: 'integer', bits: 64, value: '0x1f' },
  { name: 'eax', group: 'integer', partOf: 'rax', bits: 32, value: '0x1f' },
  { name: 'rip', group: 'control', bits: 64, value: pc },
  { name: 'efl', group: 'control', bits: 32, value: '0x202' },
  { name: 'if', group: 'control', partOf: 'efl', bits: 1, value: '0x1' },
  { name: 'iopl', group: 'control', partOf: 'efl', bits: 2, value: '0x0' },
  { name: 'cs', group: 'segment', bits: 16, value: '0x10' },
  { name: 'cr3', group: 'special', bits: 64, value: '0x1ad000' },
  { name: 'dr7', group: 'debug', bits: 64, value: '0x400' },
  { name: 'xmm0', group: 'vector', bits: 128, value: '0x0' },
];
