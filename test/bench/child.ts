/** A process of the bench and what is asked of it: one question at a time, answered over the IPC channel. */
import { fork, type ChildProcess } from 'node:child_process';

export class Child {
  private constructor(private readonly process: ChildProcess) {}

  /** `file` answers by `serve`. */
  static start(file: string, args: readonly string[] = []): Child {
    return new Child(fork(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  }

  /** Rejects when the process ends instead of answering. */
  ask<T>(question: string, value: unknown = null): Promise<T> {
    return new Promise((resolve, reject) => {
      const answered = (answer: unknown) => {
        this.process.off('exit', ended);
        resolve(answer as T);
      };
      const ended = (code: number | null) => {
        this.process.off('message', answered);
        reject(new Error(`The process that was asked '${question}' ended with ${code}.`));
      };
      this.process.once('message', answered);
      this.process.once('exit', ended);
      this.process.send({ question, value });
    });
  }

  stop(): void {
    this.process.kill();
  }
}

/** The other side: answers questions in order; ends with the process that asks. */
export function serve(answers: Readonly<Record<string, (value: never) => Promise<unknown>>>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: { question: string; value: never }) => {
    void answers[message.question]?.(message.value).then((answer) => process.send?.(answer ?? null));
  });
}
