import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/engine/base/errors';
import { registers, stopped } from './support';

async function stoppedWithRegisters() {
  const { session, client } = await stopped();
  session.answers.registers = () => ({ registers });
  session.answers.setRegister = ({ value }) => {
    if (value === 'foo') throw new UserError("Couldn't resolve error at 'foo'");
    return { value: '0x20' };
  };
  // The group Integer of processor 0.
  return { session, client, integer: 2 };
}

describe('setVariable', () => {
  it('hands the value to the session as an expression', async () => {
    const { session, client, integer } = await stoppedWithRegisters();
    const args = { variablesReference: integer, name: 'rax', value: ' @rbx+8 ' };
    expect(await client.request('setVariable', args)).toEqual({ value: '0x0000000000000020' });
    expect(session.params('setRegister')).toEqual([{ processor: 0, name: 'rax', value: '@rbx+8' }]);
  });

  it('tells what is wrong with the value to the user', async () => {
    const { client, integer } = await stoppedWithRegisters();
    const seq = client.send('setVariable', { variablesReference: integer, name: 'rax', value: 'foo' });
    expect((await client.response(seq)).body.error).toMatchObject({
      format: "Couldn't resolve error at 'foo'",
      showUser: true,
    });
  });

  it('refuses what is no register of the group', async () => {
    const { client, integer } = await stoppedWithRegisters();
    const args = { variablesReference: integer, name: 'rip', value: '0' };
    expect(await client.failure('setVariable', args)).toBe(
      "setVariable: 'name' is no register of the group Integer.",
    );
    expect(await client.failure('setVariable', { ...args, variablesReference: 1 })).toContain(
      'variablesReference',
    );
  });
});
