import { describe, expect, it } from 'vitest';
import { problemOfConfiguration } from '../../src/extension/configurationCheck';
import { withDefaults } from '../../src/extension/defaultConfiguration';

describe('checks before the adapter starts', () => {
  it.each([
    [{ request: 'launch', target: 'demo:' }],
    [
      {
        request: 'launch',
        target: 'com:pipe,port=/tmp/kd.sock,resets=0,reconnect',
        server: ['tcp:port=5005'],
      },
    ],
    [{ request: 'launch', target: 'com:port=COM2,baud=115200', commands: ['lm'] }],
    [{ request: 'attach', remote: '0: <debugger> -remote tcp:Port=5005,Server=HOST' }],
    [{ request: 'attach', remote: 'tcp:Port=5005,Password=*,Server=HOST' }],
  ])('pass %j', (configuration) => {
    expect(problemOfConfiguration(configuration)).toBeUndefined();
  });

  it.each([
    [{ request: 'lunch' }, 'request'],
    [{ request: 'launch' }, 'target'],
    [{ request: 'launch', target: 5 }, 'target'],
    [{ request: 'launch', target: 'floppy:a' }, 'target'],
    [{ request: 'launch', target: 'com:port=COM2,speed=5' }, 'target'],
    [{ request: 'launch', target: 'demo:', server: 'tcp:port=99999' }, 'server'],
    [{ request: 'launch', target: 'demo:', server: ['tcp:port=5005', 'udp:port=1'] }, 'server'],
    [{ request: 'launch', target: 'demo:', remote: 'tcp:Port=1,Server=h' }, 'remote'],
    [{ request: 'launch', target: 'demo:', initialBreak: 'yes' }, 'initialBreak'],
    [{ request: 'attach', remote: 'tcp:Port=5005' }, 'remote'],
    [{ request: 'attach', remote: 'tcp:Server=h' }, 'remote'],
  ])('refuse %j and name the attribute', (configuration, attribute) => {
    const problem = problemOfConfiguration(configuration);
    expect(problem).toContain(`'${attribute}'`);
    expect(problem).not.toContain('\n');
  });

  it('never repeat a password', () => {
    const problem = problemOfConfiguration({
      request: 'launch',
      target: 'demo:',
      server: 'tcp:port=1,password=no good at all',
    });
    expect(problem).toContain("'server'");
    expect(problem).not.toContain('no good');
  });
});

describe('defaults', () => {
  it('make the demo machine of nothing', () => {
    expect(withDefaults({})).toEqual({
      name: 'Demo Machine',
      type: 'kd',
      request: 'launch',
      target: 'demo:',
    });
  });

  it('keep what is given', () => {
    expect(withDefaults({ type: 'kd', name: 'n', request: 'launch', target: 'com:port=COM1' })).toEqual({
      name: 'n',
      type: 'kd',
      request: 'launch',
      target: 'com:port=COM1',
    });
    expect(withDefaults({ type: 'kd', remote: 'tcp:Port=1,Server=h' })).toMatchObject({ request: 'attach' });
    expect(withDefaults({ type: 'kd', request: 'launch' })).not.toHaveProperty('target');
  });
});
