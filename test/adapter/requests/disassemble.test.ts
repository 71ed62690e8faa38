import { describe, expect, it } from 'vitest';
import { pc, stopped } from './support';

describe('disassemble', () => {
  it('gives rows as DAP shows them', async () => {
    const { session, client } = await stopped();
    session.answers.disassemble = ({ offset }) =>
      offset < 0
        ? { rows: [{ address: '0xfffff80000000fff', bytes: '90', text: 'nop', symbol: 'nt!Before+0x3' }] }
        : {
            rows: [
              { address: pc, bytes: '4889e5', text: 'mov     rbp,rsp', symbol: 'nt!Main' },
              { address: '0xfffff80000001003', bytes: '', text: '???' },
            ],
          };
    const args = { memoryReference: pc, instructionOffset: -1, instructionCount: 3 };
    expect((await client.request('disassemble', args)).instructions).toEqual([
      { address: '0xfffff80000000fff', instructionBytes: '90', instruction: 'nop' },
      { address: pc, instructionBytes: '48 89 e5', instruction: 'mov     rbp,rsp', symbol: 'nt!Main' },
      {
        address: '0xfffff80000001003',
        instructionBytes: '',
        instruction: '???',
        presentationHint: 'invalid',
      },
    ]);
  });

  it('gives no rows for none', async () => {
    const { client } = await stopped();
    expect(await client.request('disassemble', { memoryReference: pc, instructionCount: 0 })).toEqual({
      instructions: [],
    });
  });

  it('bounds what is asked for', async () => {
    const { client } = await stopped();
    expect(await client.failure('disassemble', { memoryReference: pc, instructionCount: 1e6 })).toBe(
      "disassemble: 'instructionCount' must be from 0 to 4096.",
    );
  });
});
