import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Conversation, type End } from '../../src/cli/conversation';
import { Terminal } from '../../src/cli/terminal';
import { Transcript } from '../../src/cli/transcript';
import { FakeSession, other, self } from './support/fakeSession';

/** What a terminal of 80 columns would show: enough of one for cursor movement, clearing and text. */
class Screen extends PassThrough {
  readonly columns = 80;
  readonly isTTY = true;
  private rows: string[] = [''];
  private row = 0;
  private column = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const token = /\x1b\[(\d*)(?:;\d+)?([A-Za-z])|[^]/g;
    for (const [text, count, code] of chunk.toString().matchAll(token))
      this.put(text, Number(count || 1), code);
    done();
  }

  get text(): string {
    return this.rows.map((row) => row.trimEnd()).join('\n');
  }

  private put(text: string, count: number, code: string | undefined): void {
    if (code === 'A') this.row -= count;
    else if (code === 'B') this.row += count;
    else if (code === 'C') this.column += count;
    else if (code === 'D') this.column -= count;
    else if (code === 'G') this.column = count - 1;
    else if (code === 'H') this.row = this.column = 0;
    else if (code === 'J') this.rows.splice(this.row, Infinity, this.line.slice(0, this.column));
    else if (code === 'K') this.rows[this.row] = this.line.slice(0, this.column);
    else if (text === '\r') this.column = 0;
    else if (text === '\n') {
      // As with the terminal's own newline translation.
      this.column = 0;
      this.row++;
    } else if (code === undefined) {
      if (this.column >= this.columns) {
        this.column = 0;
        this.row++;
        if (this.rows.length <= this.row) this.rows.push('');
      }
      const padded = this.line.padEnd(this.column);
      this.rows[this.row] = padded.slice(0, this.column) + text + padded.slice(this.column + 1);
      this.column++;
    }
    while (this.rows.length <= this.row) this.rows.push('');
  }

  private get line(): string {
    return this.rows[this.row] ?? '';
  }
}

class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;
  setRawMode(on: boolean): this {
    this.isRaw = on;
    return this;
  }
}

let session: FakeSession;
let screen: Screen;
let keyboard: Keyboard;
let terminal: Terminal;
let ended: Promise<End>;
let historyFile: string;

function begin(owner = true): void {
  const conversation = new Conversation(session, self);
  terminal = new Terminal({
    input: keyboard as unknown as ReadStream,
    output: screen as unknown as WriteStream,
    historyFile,
    owner,
    versionLine: 'Version 1',
  });
  const transcript = new Transcript(
    self.id,
    { color: false, verbose: false, noisySymbols: false },
    terminal.show,
  );
  ended = terminal.run(conversation, transcript, () => Promise.resolve());
}

/** Types and waits until all that follows from it has been drawn. */
async function type(text: string): Promise<void> {
  keyboard.write(text);
  await settled();
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

beforeEach(() => {
  session = new FakeSession();
  screen = new Screen();
  keyboard = new Keyboard();
  historyFile = join(mkdtempSync(join(tmpdir(), 'vskd-')), 'state', 'history');
});

afterEach(() => terminal.close());

it('shows a prompt, runs what is typed and shows the command once', async () => {
  session.handlers.execute = ({ text }: { text: string }) => {
    session.print(`kd> ${text}\n`, 'command', self);
    session.print('rax=0\n');
  };
  begin();
  await settled();
  expect(screen.text).toBe('kd>');
  await type('r\r');
  expect(session.commands).toEqual(['r']);
  expect(screen.text).toBe('kd> r\nrax=0\nkd>');
});

it('puts output above the line that is being typed', async () => {
  begin();
  await type('lm nt');
  session.print('Debug print\n', 'debuggee');
  session.print('kd> k\n', 'command', other);
  session.print('without a line end');
  await settled();
  expect(screen.text).toBe(`Debug print\n[${other.identity}] kd> k\nwithout a line end\nkd> lm nt`);
  await type(' m\r');
  expect(session.commands).toEqual(['lm nt m']);
});

it('redraws a line that is longer than the screen is wide', async () => {
  begin();
  const long = 'x'.repeat(200);
  await type(`.echo ${long}`);
  session.print('output\n');
  await settled();
  expect(screen.text.replaceAll('\n', '')).toBe(`outputkd> .echo ${long}`);
  expect(screen.text.startsWith('output\nkd> .echo')).toBe(true);
});

it('has no prompt while the debugger is busy and marks what is typed then', async () => {
  begin();
  session.update({ targetState: 'running', busy: true, prompt: '' });
  await settled();
  expect(screen.text).toBe('');
  await type('r');
  expect(screen.text).toBe('*BUSY* r');
  await type('\r');
  expect(session.commands).toEqual(['r']);
  // It runs later, so it is shown again where its output is.
  session.update({ targetState: 'stopped', busy: false, prompt: '1: kd> ' });
  session.print('1: kd> r\n', 'command', self);
  await settled();
  expect(screen.text).toBe('*BUSY* r\n1: kd> r\n1: kd>');
});

it('sends Enter alone at the prompt, not while busy', async () => {
  begin();
  await type('\r');
  expect(session.commands).toEqual(['']);
  session.update({ busy: true, prompt: '' });
  await type('\r');
  expect(session.commands).toEqual(['']);
});

it('runs pasted lines one by one', async () => {
  begin();
  await type('r\rlm\rk');
  expect(session.commands).toEqual(['r', 'lm']);
  expect(screen.text.endsWith('kd> k')).toBe(true);
});

it('breaks in, cancels or clears the line on Ctrl+C', async () => {
  begin();
  await type('half a line\x03');
  expect(screen.text).toBe('q ends the session.\nkd>');
  session.update({ busy: true, prompt: '' });
  await type('\x03');
  expect(session.requests.at(-1)?.method).toBe('cancel');
  session.update({ targetState: 'running' });
  await type('\x03');
  expect(session.requests.at(-1)?.method).toBe('breakIn');
});

it('stops a target that a cancelled command still set going', async () => {
  begin();
  session.update({ busy: true });
  await type('\x03');
  expect(session.requests.at(-1)?.method).toBe('cancel');
  session.update({ targetState: 'running', prompt: '' });
  session.update({ detail: 'again' });
  expect(session.requests.filter((each) => each.method === 'breakIn')).toHaveLength(1);
});

it('leaves with Ctrl+C twice while there is no target', async () => {
  begin();
  session.update({ targetState: 'connecting', busy: true, prompt: '' });
  await type('\x03');
  expect(screen.text).toContain('Ctrl+C once more leaves');
  expect(session.requests.at(-1)?.method).toBe('breakIn');
  await type('\x03');
  expect((await ended).kind).toBe('left');
});

it('leaves with Ctrl+B and Enter, whatever is typed or running', async () => {
  begin(false);
  session.update({ targetState: 'running', busy: true, prompt: '' });
  await type('abc\x02');
  expect(screen.text).toContain('^B (Enter leaves)');
  await type('\r');
  expect((await ended).kind).toBe('left');
  expect(session.commands).toEqual([]);
});

it('forgets Ctrl+B when something else follows', async () => {
  begin();
  await type('\x02r\r');
  expect(session.commands).toEqual(['r']);
});

it('switches verbose output and shows the version', async () => {
  begin();
  session.print('hidden\n', 'verbose');
  await type('\x16\r');
  session.print('visible\n', 'verbose');
  await type('\x17\r');
  expect(screen.text).not.toContain('hidden');
  expect(screen.text).toContain('visible');
  expect(screen.text).toContain('Version 1');
});

it('takes Ctrl+D as the leave of a client, not of the owner', async () => {
  begin();
  await type('\x04');
  expect(screen.text).toContain('q ends the session.');
  terminal.close();
  keyboard = new Keyboard();
  begin(false);
  await type('\x04');
  expect((await ended).kind).toBe('left');
});

it('leaves when the terminal is gone', async () => {
  begin();
  keyboard.end();
  expect((await ended).kind).toBe('left');
});

it('completes command names', async () => {
  session.handlers.complete = ({ text }: { text: string }) => ({
    items: text === '.serv' ? [{ label: '.server', detail: '' }] : [],
  });
  begin();
  await type('.serv\t');
  expect(screen.text).toBe('kd> .server');
});

it('clears the screen and keeps the line', async () => {
  begin();
  session.print('old\n');
  await type('r');
  session.emit('clearScreen', {});
  await settled();
  expect(screen.text).toBe('kd> r');
});

it('shows a refusal', async () => {
  session.handlers.execute = () => {
    throw new Error('Command refused.');
  };
  begin();
  await type('r\r');
  expect(screen.text).toBe('kd> r\nCommand refused.\nkd>');
});

it('keeps the history for its user only, without passwords, and puts the terminal back', async () => {
  begin();
  expect(keyboard.isRaw).toBe(true);
  await type('r\r');
  await type('.server tcp:port=1,Password=secret\r');
  await type('lm\r');
  terminal.close();
  expect(keyboard.isRaw).toBe(false);
  expect(readFileSync(historyFile, 'utf8')).toBe('r\nlm\n');
  expect(statSync(historyFile).mode & 0o777).toBe(0o600);
  keyboard = new Keyboard();
  begin();
  await type('\x1b[A\r');
  expect(session.commands.at(-1)).toBe('lm');
});
