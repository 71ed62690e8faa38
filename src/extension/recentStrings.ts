/**
 * The connection strings used last, newest first, without passwords. Kept in the extension's global state, so that
 * every window offers them. Knows nothing of vscode beyond the shape of a Memento.
 */
import { maskPassword } from './passwordText';

/** The part of `vscode.Memento` used here. */
export interface Store {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): Thenable<void>;
}

const most = 10;

export class RecentStrings {
  constructor(
    private readonly store: Store,
    private readonly key: string,
  ) {}

  get list(): readonly string[] {
    const stored = this.store.get<unknown>(this.key);
    if (!Array.isArray(stored)) return [];
    return stored.filter((each): each is string => typeof each === 'string').slice(0, most);
  }

  async add(text: string): Promise<void> {
    const masked = maskPassword(text);
    const others = this.list.filter((each) => each.toLowerCase() !== masked.toLowerCase());
    await this.store.update(this.key, [masked, ...others].slice(0, most));
  }

  async remove(text: string): Promise<void> {
    await this.store.update(
      this.key,
      this.list.filter((each) => each !== text),
    );
  }
}
