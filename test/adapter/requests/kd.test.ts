import { describe, expect, it } from 'vitest';
import { self } from '../../support/fakeSession';
import { stopped } from './support';

const server = { id: 0, spec: 'tcp:Port=5005', clientString: 'tcp:Port=5005,Server=HOST', disabled: false };

describe('custom requests', () => {
  it('kd/state gives the state, and the event of that name every change', async () => {
    const { session, client } = await stopped();
    expect(await client.request('kd/state')).toEqual(JSON.parse(JSON.stringify(session.state)));
    session.changeState({ servers: [server] });
    await client.waitFor('kd/state', (state) => state.servers.length === 1);
    expect(await client.request('kd/servers')).toEqual({ servers: [server] });
  });

  it('kd/state comes once for several changes in one turn', async () => {
    const { session, client } = await stopped();
    await client.request('threads');
    const before = client.events('kd/state').length;
    for (let i = 0; i < 5; i++) session.changeState({ detail: `${i}` });
    await client.waitFor('kd/state', (state) => state.detail === '4');
    expect(client.events('kd/state').length).toBe(before + 1);
  });

  it('kd/execute runs a command and shows it', async () => {
    const { session, client } = await stopped();
    session.answers.execute = ({ text }) => {
      session.output('command', `0: kd> ${text}\n`, self);
      return { ok: false };
    };
    expect(await client.request('kd/execute', { text: 'lm' })).toEqual({ ok: false });
    await client.waitForOutput('0: kd> lm\n');
  });

  it('kd/startServer opens a server', async () => {
    const { session, client } = await stopped();
    session.answers.execute = () => {
      session.changeState({ servers: [server] });
      return { ok: true };
    };
    expect(await client.request('kd/startServer', { spec: 'tcp:port=5005' })).toEqual({ servers: [server] });
    expect(session.params('execute')).toEqual([{ text: '.server tcp:port=5005' }]);
  });

  it('kd/setRole changes what a client may do', async () => {
    const { session, client } = await stopped();
    await client.request('kd/setRole', { client: 7, role: 'observe' });
    expect(session.params('execute')).toEqual([{ text: '.role 7 observe' }]);
    expect(await client.failure('kd/setRole', { client: 7, role: 'kick; qq' })).toContain("'role'");
    session.answers.execute = ({ text }) => {
      session.output('command', `0: kd> ${text}\n`, self);
      session.output('error', 'No client 9.\n');
      return { ok: false };
    };
    expect(await client.failure('kd/setRole', { client: 9, role: 'kick' })).toBe('No client 9.');
  });

  it('kd/state tells a changed role', async () => {
    const { session, client } = await stopped();
    const [first] = session.state.clients;
    session.changeState({ clients: [{ ...first!, role: 'observe' }] });
    await client.waitFor('kd/state', (state) => state.clients[0]?.role === 'observe');
  });

  it('kd/startServer fails with what the command printed', async () => {
    const { session, client } = await stopped();
    session.answers.execute = ({ text }) => {
      session.output('command', `0: kd> ${text}\n`, self);
      session.output('error', 'Port 5005 is in use on this machine.\n');
      return { ok: false };
    };
    expect(await client.failure('kd/startServer', { spec: 'tcp:port=5005' })).toBe(
      'Port 5005 is in use on this machine.',
    );
  });

  it.each(['', 'tcp:port=1;qq', 'tcp:port=1\nqq'])('kd/startServer refuses %j', async (spec) => {
    const { session, client } = await stopped();
    expect(await client.failure('kd/startServer', { spec })).toContain("kd/startServer: 'spec'");
    expect(session.params('execute')).toEqual([]);
  });

  it('kd/endServer ends one', async () => {
    const { session, client } = await stopped();
    await client.request('kd/endServer', { id: 0 });
    expect(session.params('execute')).toEqual([{ text: '.endsrv 0' }]);
    expect(await client.failure('kd/endServer', { id: '0;qq' })).toBe(
      "kd/endServer: 'id' must be a whole number.",
    );
  });
});
