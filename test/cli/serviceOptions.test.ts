import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../src/cli/options';

const service = (...args: string[]) => parseOptions(args).service;

describe('command lines that start no debugger', () => {
  it.each([
    [['-QR', '\\\\BOX17'], { kind: 'list', host: '\\\\BOX17' }],
    [['/qr', 'localhost'], { kind: 'list', host: 'localhost' }],
    [
      ['-repeater', '-s', 'tcp:port=1', '-c', 'tcp:port=2,server=a'],
      { kind: 'repeater', server: 'tcp:port=1', client: 'tcp:port=2,server=a', persistent: false },
    ],
    [
      ['-repeater', '-c', 'tcp:port=2,', 'server=a', '-P', '-s', 'tcp:port=1'],
      { kind: 'repeater', server: 'tcp:port=1', client: 'tcp:port=2,server=a', persistent: true },
    ],
    [['-symdump', 'a.pdb'], { kind: 'symdump', file: 'a.pdb' }],
    [['-kdsrv', 'tcp:port=5'], { kind: 'kdsrv', server: 'tcp:port=5', allowed: [] }],
    [
      ['-kdsrv', '-t', 'tcp:port=5', '-allow', 'com:', '-allow', 'demo:'],
      { kind: 'kdsrv', server: 'tcp:port=5', allowed: ['com:', 'demo:'] },
    ],
  ])('%j', (args, expected) => {
    expect(service(...args)).toEqual(expected);
    expect(parseOptions(args).action).toBe('service');
  });

  it.each([
    [['-symdump'], "'-symdump' needs a file: -symdump FILE.pdb"],
    [['-symdump', 'a.pdb', '-v'], "'-symdump FILE.pdb' stands alone on the command line; '-v' is too much."],
    [['-QR'], "'-QR' needs the name of a machine: -QR HOST"],
    [['-QR', '-v'], "'-QR' needs the name of a machine"],
    [['-QR', 'a', '-v'], "'-QR HOST' stands alone on the command line; '-v' is too much."],
    [['-v', '-QR', 'a'], "'-QR' must come first, before '-v'; it starts no debugger."],
    [['-k', 'demo:', '-kdsrv', 'tcp:port=1'], "'-kdsrv' must come first, before '-k'"],
    [['-repeater'], "'-repeater' needs -s, the string that clients connect to"],
    [['-repeater', '-s', 'tcp:port=1'], "'-repeater' needs -c, the string of the debugging server"],
    [['-repeater', '-s', '-c', 'x'], "'-s' needs a value"],
    [['-repeater', '-s', 'a', '-s', 'b', '-c', 'x'], "'-s' is given twice"],
    [['-repeater', '-s', 'a', '-c', 'b', '-k', 'demo:'], "Unknown option '-k' here; vskd -repeater"],
    [['-repeater', 'a'], "Unexpected argument 'a'"],
    [['-kdsrv'], "'-kdsrv' needs the string of a server"],
    [['-kdsrv', 'a', 'b'], "Unexpected argument 'b'"],
    [['-kdsrv', 'a', '-remote', 'b'], "Unknown option '-remote' here"],
    [['-premote', 'tcp:port=1'], "'-premote' is not supported yet."],
    [['-dbgsrv', 'tcp:port=1'], "Unknown option '-dbgsrv'; vskd -? lists the options."],
  ])('%j is refused', (args, text) => {
    expect(() => parseOptions(args)).toThrow(text);
  });
});
