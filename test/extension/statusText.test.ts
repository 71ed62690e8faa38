import { describe, expect, it } from 'vitest';
import type { SessionState } from '../../src/engine/session/protocol';
import { clientText, roleActions, statusText } from '../../src/extension/statusText';

const state: SessionState = {
  connection: 'demo:',
  targetState: 'stopped',
  detail: '',
  architecture: 'x64',
  processorCount: 1,
  processor: 0,
  stop: undefined,
  busy: false,
  prompt: '0: kd> ',
  servers: [],
  clients: [{ id: 0, identity: 'HOST\\me', remote: false, lastActive: 0 }],
};
const server = { id: 0, spec: 'tcp:Port=5005', clientString: 'tcp:Port=5005,Server=HOST', disabled: false };
const guest = { id: 1, identity: 'B\\you (tcp 10.0.0.5:63141)', remote: true, lastActive: 0 };

describe('status bar text', () => {
  it('names the state, and counts servers and guests only when there are any', () => {
    expect(statusText(undefined).label).toContain('connecting');
    expect(statusText(state).label).toBe('$(debug-pause) KD stopped');
    const open = { ...state, servers: [server], clients: [...state.clients, guest] };
    expect(statusText(open).label).toBe('$(debug-pause) KD stopped $(broadcast) 1 $(person) 1');
    expect(statusText(open).spoken).toBe('Kernel debugger stopped, 1 server, 1 client');
    expect(statusText(open).tooltip).toContain('`tcp:Port=5005,Server=HOST`');
    expect(statusText({ ...open, servers: [{ ...server, disabled: true }] }).label).not.toContain(
      'broadcast',
    );
  });

  it('warns when the target is lost', () => {
    expect(statusText({ ...state, targetState: 'lost', detail: 'Waiting to reconnect...' })).toMatchObject({
      warning: true,
      tooltip: expect.stringContaining('Waiting to reconnect'),
    });
  });

  it('shows what a guest calls himself as plain text', () => {
    const hostile = { ...guest, identity: '[x](command:evil) <img> `a`\n# b' };
    const { tooltip } = statusText({ ...state, clients: [hostile] });
    expect(tooltip).toContain('\\[x\\]\\(command:evil\\) \\<img\\> \\`a\\` \\# b');
  });

  it('tells observers and broken connections', () => {
    const clients = [{ ...guest, role: 'observe' as const, away: true as const }];
    expect(statusText({ ...state, clients }).tooltip).toMatch(
      /63141\\\) \*\(observer, connection broken\)\*/,
    );
  });
});

describe('clients in a list', () => {
  it('are shown with what they may do, and no icons of their own', () => {
    expect(clientText(guest)).toEqual({ name: guest.identity, role: 'control' });
    const hostile = { ...guest, identity: '$(check) admin', role: 'observe' as const, away: true as const };
    expect(clientText(hostile)).toEqual({
      name: '\\$(check) admin',
      role: 'observer, connection broken',
    });
  });

  it('can be given the other role, or be disconnected', () => {
    expect(roleActions(guest).map(({ role }) => role)).toEqual(['observe', 'kick']);
    expect(roleActions({ ...guest, role: 'observe' }).map(({ role }) => role)).toEqual(['control', 'kick']);
  });
});
