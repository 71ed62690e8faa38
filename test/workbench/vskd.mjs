// A `vskd` client beside the windows: the program as users have it, its input a pipe that stays open.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../scripts/setup.mjs';

const patience = 15_000;
const longestText = 1 << 20;

export class Vskd {
  name = 'vskd';
  /** All that the program has printed. */
  text = '';

  constructor(args) {
    this.args = args;
    this.child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (piece) => {
        this.text = (this.text + piece).slice(-longestText);
        this.child.emit('printed');
      });
    }
    this.child.stdin.on('error', () => undefined);
    this.exited = new Promise((done) => this.child.once('close', done));
  }

  type(line) {
    this.child.stdin.write(`${line}\n`);
  }

  /** Waits until the program has printed `pattern`. */
  shows(pattern) {
    return new Promise((resolve, reject) => {
      const end = (result) => {
        clearTimeout(timer);
        this.child.off('printed', look);
        if (result) resolve(result);
        else reject(new Error(`vskd: no "${pattern}" within ${patience / 1000} s:\n${this.text}`));
      };
      const look = () => {
        const match = pattern.exec(this.text);
        if (match) end(match);
      };
      const timer = setTimeout(end, patience);
      this.child.on('printed', look);
      look();
    });
  }

  stop() {
    this.child.kill('SIGKILL');
  }
}
