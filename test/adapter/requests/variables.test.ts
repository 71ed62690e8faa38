import { describe, expect, it } from 'vitest';
import { pc, registers, stopped } from './support';

type Row = { name: string; value: string; variablesReference: number };

async function groups() {
  const { session, client } = await stopped();
  session.answers.registers = () => ({ registers });
  const { scopes } = await client.request('scopes', { frameId: 1 });
  const [scope] = scopes;
  const rows: Row[] = (await client.request('variables', { variablesReference: scope.variablesReference }))
    .variables;
  return { session, client, scope, rows };
}

describe('scopes and variables', () => {
  it('shows the registers in groups', async () => {
    const { scope, rows } = await groups();
    expect(scope).toMatchObject({ name: 'Registers', presentationHint: 'registers', expensive: false });
    // There are no floating point registers in this target.
    expect(rows.map((row) => row.name)).toEqual([
      'Integer',
      'Control',
      'Flags',
      'Segments',
      'System',
      'Debug',
      'Vector',
    ]);
  });

  it('shows the registers of a group in full width', async () => {
    const { client, rows } = await groups();
    const show = async (name: string): Promise<string[]> => {
      const variablesReference = rows.find((row) => row.name === name)?.variablesReference;
      const { variables } = await client.request('variables', { variablesReference });
      return variables.map((row: Row) => `${row.name}=${row.value}`);
    };
    expect(await show('Integer')).toEqual(['rax=0x000000000000001f']);
    expect(await show('Control')).toEqual([`rip=${pc}`, 'efl=0x00000202']);
    expect(await show('Flags')).toEqual(['if=1', 'iopl=0']);
    expect(await show('Segments')).toEqual(['cs=0x0010']);
    expect(await show('Vector')).toEqual(['xmm0=0x00000000000000000000000000000000']);
  });

  it('gives what a client needs to look further', async () => {
    const { client, rows } = await groups();
    const { variables } = await client.request('variables', {
      variablesReference: rows[1]?.variablesReference,
    });
    expect(variables[0]).toEqual({
      name: 'rip',
      value: pc,
      type: '64 bits',
      evaluateName: '@rip',
      variablesReference: 0,
      memoryReference: pc,
    });
  });

  it('gives a part of them when asked', async () => {
    const { client, scope } = await groups();
    const args = { variablesReference: scope.variablesReference, start: 1, count: 2 };
    const { variables } = await client.request('variables', args);
    expect(variables.map((row: Row) => row.name)).toEqual(['Control', 'Flags']);
  });

  it.each([0, -1, 30, 31, 1e15, 'x'])('refuses the reference %j', async (variablesReference) => {
    const { client } = await groups();
    expect(await client.failure('variables', { variablesReference })).toContain('variablesReference');
  });

  it('refuses a frame that is not there', async () => {
    const { client } = await groups();
    expect(await client.failure('scopes', { frameId: 5000 })).toBe(
      "scopes: 'frameId' is not the id of a frame.",
    );
  });
});
