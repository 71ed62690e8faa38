import { describe, expect, it } from 'vitest';
import { Arguments } from '../../src/adapter/arguments';
import { readAttach, readLaunch } from '../../src/adapter/launchConfiguration';

const launch = (value: unknown) => readLaunch(new Arguments('launch', value));
const attach = (value: unknown) => readAttach(new Arguments('attach', value));

describe('launch configurations', () => {
  it('fills in what is not given', () => {
    expect(launch({ target: 'demo:' })).toEqual({
      request: 'launch',
      target: 'demo:',
      servers: [],
      secure: false,
      noShell: false,
      audit: undefined,
      symbolPath: undefined,
      imagePath: undefined,
      sourcePath: undefined,
      localSourcePath: undefined,
      initialBreak: true,
      commands: [],
    });
    expect(attach({ remote: 'tcp:Port=5005,Server=HOST' })).toMatchObject({
      request: 'attach',
      remote: 'tcp:Port=5005,Server=HOST',
      initialBreak: false,
    });
  });

  it('takes one server or several, and paths as text or lists', () => {
    const configuration = launch({
      target: '-k com:port=COM2,baud=115200',
      server: ['tcp:port=5005', '.server npipe:pipe=kd'],
      symbolPath: ['C:\\a', 'srv*'],
      commands: ['lm', ' ', 'k'],
      secure: true,
      initialBreak: false,
    });
    expect(configuration).toMatchObject({
      target: 'com:port=COM2,baud=115200',
      servers: ['tcp:port=5005', 'npipe:pipe=kd'],
      symbolPath: 'C:\\a;srv*',
      commands: ['lm', 'k'],
      secure: true,
      initialBreak: false,
    });
    expect(launch({ target: 'demo:', server: 'tcp:port=1' })).toMatchObject({ servers: ['tcp:port=1'] });
  });

  it.each([
    [{}, "launch: 'target' is missing; for example"],
    [{ target: '  ' }, "launch: 'target' is missing"],
    [{ target: 5 }, "launch: 'target' must be a string."],
    [{ target: 'demo:\nq' }, "launch: 'target' must be one line."],
    [{ target: 'demo:', remote: 'x' }, 'launch: \'remote\' belongs to "request": "attach"'],
    [{ target: 'demo:', server: 5 }, "launch: 'server' must be a string or a list of strings."],
    [{ target: 'demo:', server: ['tcp:port=1', ''] }, "launch: 'server[1]' is empty"],
    [{ target: 'demo:', initialBreak: 'yes' }, "launch: 'initialBreak' must be true or false."],
    [{ target: 'demo:', commands: 'lm' }, "launch: 'commands' must be a list."],
    [{ target: 'demo:', commands: ['lm', 3] }, "launch: 'commands[1]' must be a string."],
    [
      { target: 'demo:', commands: ['x'.repeat(5000)] },
      "launch: 'commands[0]' is longer than 4096 characters.",
    ],
    [{ target: 'demo:', audit: 'kd.jsonl' }, "launch: 'audit' must be an absolute path; for example"],
    [{ target: 'demo:', noShell: 'yes' }, "launch: 'noShell' must be true or false."],
    [{ target: 'demo:', symbolPath: {} }, "launch: 'symbolPath' must be a string or a list of strings."],
  ])('launch %j: %s', (value, message) => {
    expect(() => launch(value)).toThrow(message);
  });

  it.each([
    [{}, "attach: 'remote' is missing; for example"],
    [{ remote: 'x', target: 'demo:' }, 'attach: \'target\' belongs to "request": "launch"'],
    [{ remote: 'x', server: 'tcp:port=1' }, "attach: 'server' belongs to"],
    [{ remote: 'x', secure: true }, "attach: 'secure' belongs to"],
    [{ remote: 'x', noShell: true }, "attach: 'noShell' belongs to"],
    [{ remote: 'x', audit: '/tmp/log' }, "attach: 'audit' belongs to"],
  ])('attach %j: %s', (value, message) => {
    expect(() => attach(value)).toThrow(message);
  });
});
