import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../src/cli/options';
import { optionRows } from '../../src/cli/optionTable';
import { UserError } from '../../src/engine/base/errors';

function refusal(...args: string[]): string {
  try {
    parseOptions(args);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  throw new Error(`accepted: ${args.join(' ')}`);
}

describe('owning and joining', () => {
  it('reads a target, servers and start options', () => {
    const options = parseOptions([
      '-server',
      'tcp:port=5005',
      '-server',
      'npipe:pipe=kd',
      '-k',
      'demo:',
      '-b',
      '-c',
      'r; k',
    ]);
    expect(options).toMatchObject({
      action: 'debug',
      servers: ['tcp:port=5005', 'npipe:pipe=kd'],
      kernel: 'demo:',
      initialBreak: true,
      commands: 'r; k',
    });
  });

  it('reads a client string, with -n and -v', () => {
    expect(parseOptions(['-remote', 'tcp:Port=5005,Server=\\\\lab', '-n', '-v'])).toMatchObject({
      remote: 'tcp:Port=5005,Server=\\\\lab',
      noisySymbols: true,
      verbose: true,
    });
  });

  it('puts a connection string together that the shell has split after a comma', () => {
    expect(parseOptions(['-k', 'com:port=com1,', 'baud=115200', '-b'])).toMatchObject({
      kernel: 'com:port=com1,baud=115200',
      initialBreak: true,
    });
  });

  it('takes the serial port of -k alone from the environment', () => {
    const environment = { _NT_DEBUG_PORT: 'com2', _NT_DEBUG_BAUD_RATE: '57600' };
    expect(parseOptions(['-k'], environment).kernel).toBe('com:port=com2,baud=57600');
    expect(parseOptions(['-k', '-b'], environment)).toMatchObject({
      kernel: 'com:port=com2,baud=57600',
      initialBreak: true,
    });
    expect(refusal('-k')).toContain('_NT_DEBUG_PORT');
  });

  it('refuses -server and -remote that do not come first', () => {
    expect(refusal('-k', 'demo:', '-server', 'tcp:port=1')).toBe("'-server' must come first, before '-k'.");
    expect(refusal('-v', '-remote', 'tcp:server=a,port=1')).toBe("'-remote' must come first, before '-v'.");
    expect(refusal('-server', 'tcp:port=1', '-remote', 'tcp:server=a,port=1')).toMatch(/exclude each other/);
  });

  it.each([['-k', 'demo:'], ['-b', '-k', 'demo:'], ['-secure'], ['-noio'], ['-y', 'srv*']])(
    'refuses -remote with %s',
    (...more) => {
      const owned = more.find((arg) => arg.startsWith('-') && arg !== '-b') ?? '';
      expect(refusal('-remote', 'tcp:server=a,port=1', ...more)).toContain(
        `'${owned}' cannot be combined with '-remote'`,
      );
    },
  );

  it.each(['-z', '-p'])('refuses -remote with %s', (name) => {
    expect(refusal('-remote', 'tcp:server=a,port=1', name, '1')).toContain(`'${name}'`);
  });

  it('refuses to start with nothing to debug', () => {
    expect(refusal()).toContain('Nothing to debug');
    expect(refusal('-server', 'tcp:port=1')).toContain('Nothing to debug');
    expect(refusal('-k', 'demo:', '-noio')).toContain("'-noio' needs '-server STRING'");
    expect(refusal('-k', 'demo:', '-lsrcpath', 'c:\\src')).toContain("'-lsrcpath' is only for");
  });
});

describe('spelling', () => {
  it('reads names without regard to case, except -server and -remote', () => {
    expect(parseOptions(['-K', 'demo:', '-BONC', '-LogO', 'x.log'])).toMatchObject({
      kernel: 'demo:',
      initialBreak: true,
      log: { path: 'x.log', append: false },
    });
    expect(refusal('-SERVER', 'tcp:port=1', '-k', 'demo:')).toBe("'-SERVER' must be written '-server'.");
  });

  it('reads / and -- for -', () => {
    expect(parseOptions(['/server', 'tcp:port=1', '/k', 'demo:', '/b']).initialBreak).toBe(true);
    expect(parseOptions(['--version']).action).toBe('version');
    expect(parseOptions(['/?']).action).toBe('help');
    expect(parseOptions(['--help']).action).toBe('help');
  });

  it('reads joined letters', () => {
    expect(parseOptions(['-nvb', '-k', 'demo:'])).toMatchObject({
      noisySymbols: true,
      verbose: true,
      initialBreak: true,
    });
    expect(refusal('-nkv', '-k', 'demo:')).toBe("Unknown option '-nkv'; vskd -? lists the options.");
  });

  it('takes a path that looks like an option with a slash as a value', () => {
    expect(parseOptions(['-k', 'demo:', '-logo', '/c']).log?.path).toBe('/c');
  });
});

describe('mistakes', () => {
  it('names an unknown option and a stray argument', () => {
    expect(refusal('-foo')).toBe("Unknown option '-foo'; vskd -? lists the options.");
    expect(refusal('-k', 'demo:', 'notepad.exe')).toContain("Unexpected argument 'notepad.exe'");
  });

  it('names what is not supported yet', () => {
    for (const row of optionRows.filter((each) => each.status === 'notYet')) {
      expect(refusal(`-${row.name}`, '1')).toContain(`'-${row.name}' is not supported yet`);
    }
  });

  it('names a missing, repeated or bad value', () => {
    expect(refusal('-k', 'demo:', '-c')).toBe(`'-c' needs a value: -c "COMMANDS"`);
    expect(refusal('-k', 'demo:', '-logo', '-v')).toBe("'-logo' needs a value: -logo FILE");
    expect(refusal('-k', 'demo:', '-k', 'demo:')).toBe("'-k' is given twice; give it once.");
    expect(refusal('-k', 'demo:', '-timeout', '0')).toContain('expected a number from 1 to 86400');
    expect(refusal('-k', 'demo:', '-t', '4')).toContain('expected a number from 0 to 3');
  });

  it('answers any command line with options or one UserError', () => {
    const word = fc.oneof(
      fc.constantFrom(...optionRows.flatMap((row) => [`-${row.name}`, `/${row.name.toUpperCase()}`])),
      fc.constantFrom('demo:', 'tcp:port=1,', '-', '--', '/', '', '-nv', '5'),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (args) => {
        try {
          parseOptions(args);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
