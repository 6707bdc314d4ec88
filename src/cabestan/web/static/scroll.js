// Where in a log of any length the view stands. Browsers draw no element above some 16 million pixels, so the height is
// bounded; above that, small movements go line by line and large ones by proportion.

//: pixels of the tallest element
export const TALLEST = 4_000_000;

/** Pixels of the scrolled element for `total` lines. */
export function spaceHeight(total, lineHeight) {
  return Math.min(total * lineHeight, TALLEST);
}

/** The highest position, in lines from the top: the last line is at the bottom then. */
export function highest(total, lineHeight, viewHeight) {
  return Math.max(0, total - viewHeight / lineHeight);
}

/** The position after a movement of the scroll bar from `before` to `after` (pixels). */
export function moved(position, before, after, { total, lineHeight, viewHeight }) {
  const space = spaceHeight(total, lineHeight);
  const furthest = Math.max(0, space - viewHeight);
  const top = highest(total, lineHeight, viewHeight);
  if (after <= 0) return 0;
  if (after >= furthest - 1) return top;
  if (space < TALLEST) return after / lineHeight;
  if (Math.abs(after - before) < 3 * viewHeight) return Math.min(top, Math.max(0, position + (after - before) / lineHeight));
  return (after / furthest) * top;
}

/** Where the scroll bar belongs for a position (pixels). */
export function barAt(position, { total, lineHeight, viewHeight }) {
  const space = spaceHeight(total, lineHeight);
  if (space < TALLEST) return position * lineHeight;
  const top = highest(total, lineHeight, viewHeight);
  return top ? (position / top) * (space - viewHeight) : 0;
}
