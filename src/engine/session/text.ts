/** Small text helpers of the session: what may reach a terminal, times as C prints them, cutting into pieces. */

/** Everything that could steer a terminal: control characters but tab and newline, and bidirectional overrides. */
const unprintable = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text from the target or from a peer made fit for any terminal: `\r\n` is one newline, other controls become `.`. */
export function printable(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(/\r/g, '\n').replace(unprintable, '.');
}

/** One printable line of at most `longest` characters, for names that come from a peer. */
export function oneLine(text: string, longest: number): string {
  const line = printable(text)
    .replace(/[\n\t]+/g, ' ')
    .trim();
  return line.length > longest ? line.slice(0, longest) : line;
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Local time as C's `asctime` writes it, without its newline: `Wed Dec 19 06:23:07 2018`. */
export function asctime(time: Date): string {
  return withClock(time, clock(time));
}

/** Local time as WinDbg writes it: `Wed Feb 28 17:16:23.051 2018 (UTC - 8:00)`. */
export function debuggerTime(time: Date): string {
  const east = -time.getTimezoneOffset();
  const zone = `${Math.floor(Math.abs(east) / 60)}:${two(Math.abs(east) % 60)}`;
  const milliseconds = String(time.getMilliseconds()).padStart(3, '0');
  return `${withClock(time, `${clock(time)}.${milliseconds}`)} (UTC ${east < 0 ? '-' : '+'} ${zone})`;
}

function clock(time: Date): string {
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function withClock(time: Date, shown: string): string {
  const day = String(time.getDate()).padStart(2);
  return `${days[time.getDay()]} ${months[time.getMonth()]} ${day} ${shown} ${time.getFullYear()}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Cuts text into pieces of at most `size` characters, after a newline where there is one, never inside a pair. */
export function pieces(text: string, size: number): string[] {
  const result: string[] = [];
  let from = 0;
  while (text.length - from > size) {
    let end = text.lastIndexOf('\n', from + size - 1) + 1;
    if (end <= from) {
      end = from + size;
      const last = text.charCodeAt(end - 1);
      if (last >= 0xd800 && last <= 0xdbff) end--;
    }
    result.push(text.slice(from, end));
    from = end;
  }
  result.push(text.slice(from));
  return result;
}

export function countLines(text: string): number {
  let lines = 0;
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) lines++;
  return text.endsWith('\n') || text === '' ? lines : lines + 1;
}
