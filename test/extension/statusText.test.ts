import { describe, expect, it } from 'vitest';
import type { SessionState } from '../../src/engine/session/protocol';
import { statusText } from '../../src/extension/statusText';

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
});
