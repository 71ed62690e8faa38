import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseClientString } from '../../src/engine/remote/sessionString';
import { readSessionLink, sessionLink } from '../../src/extension/sessionLink';

/** As the editor hands a link over: its parts decoded once. */
function follow(link: string) {
  const url = new URL(link);
  return readSessionLink({ path: url.pathname, query: decodeURIComponent(url.search.slice(1)) });
}
const read = (remote: string) => readSessionLink({ path: '/connect', query: `remote=${remote}` });

describe('session links', () => {
  it.each([
    'tcp:Port=5005,Server=LAB7',
    'tcp:Port=5005:5010,Server=fe80::1',
    'tcp:Port=5005,Password=*,Server=LAB7',
    'ssl:Proto=tls,CertUser=Lab & Co 100%+1,Port=5005,Server=LAB7',
    'npipe:Pipe=kd,Server=LAB7',
    'com:Port=COM2,Baud=115200,Channel=0',
  ])('carry %s there and back', (remote) => {
    const link = sessionLink('vscode', remote);
    expect(link).toMatch(/^vscode:\/\/vscode-kd\.vscode-kd\/connect\?remote=[\w%.~*!'()-]+$/);
    expect(follow(link)).toEqual({ remote, dropped: [] });
  });

  it('never carry a password', () => {
    const link = sessionLink('vscode', '0: <debugger> -remote tcp:Port=1,Password=Secret1,Server=h');
    expect(decodeURIComponent(link)).toBe(
      'vscode://vscode-kd.vscode-kd/connect?remote=tcp:Port=1,Password=*,Server=h',
    );
  });

  it.each([
    ['tcp:Port=1,Password=Secret1,Server=h', 'tcp:Port=1,Password=*,Server=h', ['the password']],
    ['tcp:password = @/etc/passwd , port=1,server=h', 'tcp:password=*, port=1,server=h', ['the password']],
    ['tcp:Port=1,Password=@{a,b},Server=h', 'tcp:Port=1,Password=*,Server=h', ['the password']],
    ['tcp:Port=1,Password=@env:HOME,Server=h', 'tcp:Port=1,Password=*,Server=h', ['the password']],
    [
      'ssl:Ca=/tmp/x,Proto=tls,CertUser=n,ClientCert=me,Port=1,Server=h',
      'ssl:Proto=tls,CertUser=n,Port=1,Server=h',
      ['Ca', 'ClientCert'],
    ],
  ])('what is personal in a link is left out: %s', (given, remote, dropped) => {
    expect(read(given)).toEqual({ remote, dropped });
  });

  it.each([
    ['/elsewhere', 'remote=tcp:Port=1,Server=h', 'not for joining'],
    ['/connect', '', 'names no debugging server'],
    ['/connect', 'remote=', 'names no debugging server'],
    ['/connect', 'xremote=tcp:Port=1,Server=h', 'names no debugging server'],
    ['/connect', 'remote=floppy:a', 'Unknown transport'],
    ['/connect', 'remote=tcp:Port=1,Server=h,Shell=calc', 'Unknown option'],
    ['/connect', 'remote=tcp:Port=1,Server=\u202egro', 'cannot be shown'],
    ['/connect', 'remote=tcp:Port=1\n,Server=h', 'cannot be shown'],
    ['/connect', `remote=tcp:Port=1,Server=${'h'.repeat(2000)}`, 'too long'],
  ])('%s?%s is refused', (path, query, why) => {
    expect(readSessionLink({ path, query })).toEqual({ problem: expect.stringContaining(why) as string });
  });

  it('messages about a link hold no link of its maker', () => {
    const { problem } = read('[click](command:evil):x') as { problem: string };
    expect(problem).not.toMatch(/[[\]]/);
  });

  it('the parameters that editors add do no harm', () => {
    const query = 'windowId=_blank&remote=tcp:Port=1,Server=h&authority=x';
    expect(readSessionLink({ path: '/connect', query })).toEqual({
      remote: 'tcp:Port=1,Server=h',
      dropped: [],
    });
  });

  it('whatever a link holds gives a client string without a password, or one line', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'tcp:',
        'Port=1',
        'Server=h',
        'Password=',
        'password = x',
        '@{',
        '}',
        ',',
        '&',
        '=',
        ':',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const link = read(pieces.join(''));
        if ('problem' in link) expect(link.problem).not.toMatch(/\n/);
        else expect(parseClientString(link.remote).values.get('Password') ?? '*').toBe('*');
      }),
      { numRuns: 2000 },
    );
  });
});
