import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCertificate } from '../../../src/engine/remote/certificates/create';
import { exportFromWindows } from '../../../src/engine/remote/certificates/windowsStore';
import { joinSession } from '../../../src/engine/remote/client';
import { freePort } from '../../support/freePort';
import { describeWith } from '../../support/tools';
import { newCertificate, ownConfiguration } from './support/certificates';
import { anyPort, at, closeAll, dial, host, joinAs, portOf, stranger } from './support/hosted';

let folder = '';
beforeEach(() => {
  folder = ownConfiguration();
});
afterEach(closeAll);

const server = (proto = 'tls', certificate = 'lab', more = '') =>
  `ssl:proto=${proto},certuser=${certificate},port=0,bind=127.0.0.1${more}`;
const client = (port: number, certificate = 'lab', proto = 'tls') =>
  `ssl:proto=${proto},certuser=${certificate},port=${port},server=127.0.0.1`;
const known = () => join(folder, 'vscode-kd', 'known-servers');

describe('createCertificate', () => {
  it('makes a certificate that both of its strings fit', async () => {
    const made = await newCertificate('lab 7');
    expect(made.path).toBe(join(folder, 'vscode-kd', 'certificates', 'lab 7.pem'));
    if (process.platform !== 'win32') expect(statSync(made.path).mode & 0o777).toBe(0o600);
    expect(made.thumbprint).toMatch(/^[0-9a-f]{64}$/);
    expect(made.thumbprint1).toMatch(/^[0-9a-f]{40}$/);
    const port = await freePort();
    const { host: h } = await host(made.serverString.replace('5005', String(port)));
    expect(h.text).toContain(`0: <debugger> -remote ssl:Proto=tls,CertUser=lab 7,Port=${port},Server=LAB\n`);
    const remote = made.clientString.replace('5005', String(port)).replace(/server=.*/, 'server=localhost');
    expect(await (await joinAs('ann', remote)).run('r')).toBe(true);
    await expect(createCertificate('lab 7')).rejects.toThrow('exists already');
    await expect(createCertificate('../x')).rejects.toThrow("'../x' is no name for a certificate");
  });
});

describe('ssl', () => {
  it('trusts a server when it is first met, shows and remembers its thumbprint, and refuses another', async () => {
    const { thumbprint } = await newCertificate();
    const { port, hosted } = await host(server());
    const first = await joinSession(client(port));
    expect(first.banner).toContain(`The certificate of 127.0.0.1:${port} is new here`);
    expect(first.banner).toContain(thumbprint);
    expect(readFileSync(known(), 'utf8')).toBe(`ssl 127.0.0.1:${port}\t${thumbprint}\n`);
    if (process.platform !== 'win32') expect(statSync(known()).mode & 0o777).toBe(0o600);
    await first.dispose();
    const second = await joinSession(client(port));
    expect(second.banner).not.toContain('new here');
    await second.dispose();
    await hosted.dispose();

    const other = await createCertificate('other');
    const certificates = join(folder, 'vscode-kd', 'certificates');
    writeFileSync(join(certificates, 'lab.pem'), readFileSync(other.path), { mode: 0o600 });
    await host(`ssl:proto=tls,certuser=lab,port=${port},bind=127.0.0.1`);
    await expect(joinSession(client(port, 'other'))).rejects.toThrow(
      `WARNING: THE CERTIFICATE OF 127.0.0.1:${port} HAS CHANGED; somebody may be listening in. ` +
        `It is ${other.thumbprint}, it was ${thumbprint}.`,
    );
  });

  it('takes thumbprints of either kind, written as certificate dialogs do', async () => {
    const { thumbprint, thumbprint1 } = await newCertificate();
    const spaced = `\u200e${thumbprint1.toUpperCase().replace(/..(?!$)/g, '$& ')}`;
    const { port, host: h } = await host(server('tls', spaced));
    expect(h.text).toContain(`CertUser=${spaced},Port=${port}`);
    for (const each of [spaced, thumbprint1, thumbprint, thumbprint.replace(/..(?!$)/g, '$&:')]) {
      const joined = await joinSession(client(port, each));
      expect(joined.banner).not.toContain('new here');
      await joined.dispose();
    }
    const wrong = '0'.repeat(40);
    await expect(joinSession(client(port, wrong))).rejects.toThrow(
      `127.0.0.1:${port} has another certificate than you ask for (thumbprint ${thumbprint1}, expected ${wrong})`,
    );
    await expect(joinSession(client(port, 'elsewhere'))).rejects.toThrow(
      `has a certificate for 'lab', not for 'elsewhere'; not connected.`,
    );
  });

  it.each(['tls1', 'pct1', 'ssl2', 'ssl3', 'tls12', 'tls13'])('speaks proto=%s', async (proto) => {
    await newCertificate();
    const { port, host: h } = await host(server(proto));
    const joined = await joinSession(client(port, 'lab', proto));
    const obsolete = `Proto=${proto} is obsolete; TLS 1.2 or later is used.`;
    expect(h.text.includes(obsolete)).toBe(!/tls1./.test(proto));
    expect(joined.banner.includes(obsolete)).toBe(!/tls1./.test(proto));
    await joined.dispose();
    const other = proto === 'tls13' ? 'tls12' : 'tls13';
    await expect(joinSession(client(port, 'lab', other))).rejects.toThrow(
      `127.0.0.1:${port} refuses Proto=${other}; both sides must give the same word`,
    );
    await expect(joinSession(client(port, 'lab', 'tls'))).rejects.toThrow('refuses Proto=tls;');
  });

  it('refuses clients and servers that do not encrypt, at once', async () => {
    await newCertificate();
    const { port, host: h, hosted } = await host(server());
    await h.run(`.server ${anyPort}`);
    const bare = portOf(hosted, 1);
    const begin = Date.now();
    await expect(joinAs('ann', at(port))).rejects.toThrow(
      `127.0.0.1:${port} takes encrypted connections only; use ssl: instead of tcp:`,
    );
    await expect(joinAs('ann', client(bare))).rejects.toThrow(
      `127.0.0.1:${bare} does not encrypt; use tcp: instead of ssl:`,
    );
    const noise = await stranger((socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'));
    await expect(joinAs('ann', client(noise))).rejects.toThrow(
      `No encrypted connection to 127.0.0.1:${noise}`,
    );
    const shut = await stranger((socket) => socket.end());
    await expect(joinAs('ann', client(shut))).rejects.toThrow(`No encrypted connection to 127.0.0.1:${shut}`);
    expect(Date.now() - begin).toBeLessThan(4000);
    expect(await h.run('.echo alive')).toBe(true);
  });

  it('asks for the password on top', async () => {
    await newCertificate();
    const { port } = await host(server('tls', 'lab', ',password=Secret12'));
    await expect(joinAs('ann', client(port))).rejects.toThrow('Error 0x80004005');
    await joinAs('ann', `${client(port)},password=Secret12`);
  });

  it('says which certificate is missing, unfit or without its key', async () => {
    const { host: h } = await host();
    const said = async (string: string) => {
      expect(await h.run(`.server ${string}`)).toBe(false);
      return h.text.slice(h.text.lastIndexOf('.server '));
    };
    expect(await said(server())).toContain(`There is no certificate 'lab' with its key in ${folder}`);
    expect(await said('ssl:proto=tls,machuser=lab,port=0')).toMatch(
      /no certificate 'lab' with its key in .*certificates/,
    );
    const made = await newCertificate();
    const pem = readFileSync(made.path, 'utf8');
    const at = (name: string) => join(folder, 'vscode-kd', 'certificates', name);
    const [certificate = '', key = ''] = pem.split(/(?=-----BEGIN PRIVATE)/);
    writeFileSync(at('bare.crt'), certificate);
    expect(await said(server('tls', 'bare'))).toContain('has no private key beside it');
    writeFileSync(at('bare.key'), readFileSync((await createCertificate('x')).path), { mode: 0o600 });
    expect(await said(server('tls', 'bare'))).toContain('belongs to another certificate');
    writeFileSync(at('bare.key'), key, { mode: 0o600 });
    expect(await h.run(`.server ${server('tls', 'bare')}`)).toBe(true);
    writeFileSync(at('junk.pem'), 'junk');
    expect(await said(server('tls', 'junk'))).toContain('junk.pem');
    if (process.platform !== 'win32') {
      chmodSync(made.path, 0o644);
      expect(await said(server())).toContain('is readable by others; run chmod 600');
    }
    expect(await said(`${server('tls', 'bare')},ca=/no/such`)).toContain("'/no/such' cannot be used");
  });

  it('is a bounded stranger like every other before it has said hello', async () => {
    await newCertificate();
    const { port, host: h } = await host(server(), { handshakeTime: 400 });
    const silent = await dial(port);
    const half = await dial(port);
    half.write(Buffer.from([0x16, 3, 1, 0x40, 0]));
    const flood = await dial(port);
    flood.write(Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), Buffer.alloc(1 << 20)]));
    for (const socket of [silent, half, flood]) {
      socket.resume();
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(await h.run('.echo alive')).toBe(true);
  });

  it('works in reverse, the server still the one with the certificate', async () => {
    const { thumbprint } = await newCertificate();
    const { host: h } = await host(undefined, { dial: { interval: 20, limit: 5000 } });
    const port = await freePort();
    const joining = joinAs('ann', `ssl:proto=tls,certuser=${thumbprint},clicon=127.0.0.1,port=${port}`, {
      onWaiting: () => void h.run(`.server ssl:proto=tls,certuser=lab,port=${port},clicon=127.0.0.1`),
    });
    expect(await (await joining).run('r')).toBe(true);
    expect(h.text).toContain(`-remote ssl:Proto=tls,CertUser=lab,Port=${port},CliCon=LAB\n`);
    const { port: waiting } = await host(server());
    await expect(
      joinAs('ann', `ssl:proto=tls,certuser=lab,clicon=127.0.0.1,port=${waiting}`),
    ).rejects.toThrow('join it with Server= instead of CliCon=');
  });
});

describe('spipe', () => {
  it('encrypts over a pipe, and wants the same on both sides', async () => {
    await newCertificate();
    const name = `kd-${process.pid}-${Date.now()}`;
    const { host: h } = await host(`spipe:proto=tls,certuser=lab,pipe=${name}`);
    expect(h.text).toContain(`spipe:Proto=tls,CertUser=lab,Pipe=${name},Server=LAB\n`);
    const a = await joinAs('ann', `spipe:proto=tls,certuser=lab,server=localhost,pipe=${name}`);
    expect(a.client.info.identity).toBe(`DEV\\ann (spipe ${name})`);
    await expect(joinAs('bob', `npipe:server=localhost,pipe=${name}`)).rejects.toThrow(
      'spipe: instead of npipe:',
    );
  });
});

const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });

describeWith('openssl', 'certificates of a CA and in PFX files', () => {
  /** A CA, and what it signed for `names`. */
  function authority(...names: string[]): string {
    const certificates = join(folder, 'vscode-kd', 'certificates');
    mkdirSync(certificates, { recursive: true });
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=Test CA',
      '-days',
      '2',
    );
    for (const name of names) {
      openssl('req', ...ec, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/O=Lab/CN=${name}`);
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-out',
        `${name}.crt`,
        '-days',
        '2',
        '-CAcreateserial',
      );
      for (const ending of ['key', 'crt']) {
        const to = join(certificates, `${name}.${ending}`);
        writeFileSync(to, readFileSync(join(folder, `${name}.${ending}`)), { mode: 0o600 });
      }
    }
    return join(folder, 'ca.pem');
  }

  it('needs no first meeting when a CA vouches, and takes nothing less when one is named', async () => {
    const ca = authority('signed');
    await newCertificate();
    const { port, host: h, hosted } = await host(server('tls', 'signed'));
    await h.run(`.server ${server()}`);
    const joined = await joinSession(`${client(port, 'signed')},ca=${ca}`);
    expect(joined.banner).not.toContain('new here');
    await joined.dispose();
    await expect(joinSession(`${client(portOf(hosted, 1))},ca=${ca}`)).rejects.toThrow(
      /is not signed by a CA that is trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    );
  });

  it('lets in only clients with a certificate when the server names a CA', async () => {
    const ca = authority('signed', 'ann');
    await newCertificate('self');
    for (const proto of ['tls12', 'tls13']) {
      const { port, host: h } = await host(server(proto, 'signed', `,ca=${ca}`));
      expect(h.text).not.toContain('asks for no password');
      const remote = `${client(port, 'signed', proto)},ca=${ca}`;
      expect(await (await joinAs('ann', `${remote},clientcert=ann`)).run('r')).toBe(true);
      for (const bad of ['', ',clientcert=self']) {
        await expect(joinAs('eve', remote + bad)).rejects.toThrow(
          'wants a certificate of yours that its CA signed',
        );
      }
    }
  });

  it('reads PFX files', async () => {
    authority('lab');
    const certificates = join(folder, 'vscode-kd', 'certificates');
    openssl(
      'pkcs12',
      '-export',
      '-inkey',
      'lab.key',
      '-in',
      'lab.crt',
      '-out',
      join(certificates, 'packed.pfx'),
      '-passout',
      'pass:s3cret',
    );
    const { host: h } = await host();
    expect(await h.run(`.server ${server('tls', 'packed')}`)).toBe(false);
    expect(h.text).toContain('put its password into the environment variable VSKD_PFX_PASSWORD');
    process.env.VSKD_PFX_PASSWORD = 's3cret';
    try {
      const { port } = await host(server('tls', 'packed'));
      await joinAs('ann', client(port, 'lab'));
    } finally {
      delete process.env.VSKD_PFX_PASSWORD;
    }
  });

  it('refuses what has expired', async () => {
    const ca = authority('lab');
    openssl(
      'x509',
      '-req',
      '-in',
      'lab.csr',
      '-CA',
      ca,
      '-CAkey',
      'ca.key',
      '-out',
      'old.crt',
      '-days',
      '-1',
    );
    const certificates = join(folder, 'vscode-kd', 'certificates');
    writeFileSync(join(certificates, 'lab.crt'), readFileSync(join(folder, 'old.crt')));
    const { host: h } = await host();
    expect(await h.run(`.server ${server()}`)).toBe(false);
    expect(h.text).toMatch(/The certificate 'lab' expired on .*; make a new one/);
  });
});

describe('the Windows store', () => {
  it('is asked for by thumbprint or name, and nothing that is asked for can be a command', async () => {
    let seen: Record<string, string> = {};
    const found = await exportFromWindows('ab 38 ' + '00 '.repeat(18), 'machine', (args, environment) => {
      seen = environment;
      expect(args.join(' ')).not.toContain('ab38');
      return Promise.resolve(`${Buffer.from('pfx').toString('base64')}\r\n`);
    });
    expect(found?.pfx.toString()).toBe('pfx');
    expect(seen).toMatchObject({ VSKD_WANTED: `ab38${'00'.repeat(18)}`, VSKD_STORE: 'LocalMachine' });
    expect(await exportFromWindows('x', 'user', () => Promise.resolve('\r\n'))).toBeUndefined();
    const locked = () => Promise.reject(new Error('Key not valid for use in specified state.'));
    await expect(exportFromWindows('x', 'user', locked)).rejects.toThrow(
      'its key cannot be exported (Key not valid',
    );
  });
});
