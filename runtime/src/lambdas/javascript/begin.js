// The lines of the standard input, of which the first one says what to do with the others.
{
  const NEWLINE = 10;
  let bytes = host.buffer(1 << 20);
  let start = 0;
  let end = 0;
  // The next line; nothing at the end.
  host.line = () => {
    let searched = start;
    for (;;) {
      const found = bytes.indexOf(NEWLINE, searched);
      if (found >= 0 && found < end) {
        const line = host.text(bytes, start, found);
        start = found + 1;
        return line;
      }
      searched = end - start;
      bytes.copyWithin(0, start, end);
      end -= start;
      start = 0;
      if (end === bytes.length) {
        const more = host.buffer(bytes.length * 2);
        more.set(bytes);
        bytes = more;
      }
      const count = host.read(bytes.subarray(end));
      if (count === 0) return null;
      end += count;
    }
  };
  host.begin(() => {
    const { driver, opening } = JSON.parse(host.line());
    (0, eval)(driver)(host, opening);
  });
}
