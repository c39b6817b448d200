// Writes unicode-forms.txt, the table of ComposedText.cs: node unicode-forms.mjs > unicode-forms.txt
// Everything is asked of Node's own String.normalize, so a newer Node.js makes the table of a newer Unicode.
const characters = [];
for (let code = 0x80; code <= 0x10ffff; code++) {
  const isHangul = code >= 0xac00 && code <= 0xd7a3; // composed by arithmetic
  if (!isHangul && (code < 0xd800 || code > 0xdfff)) characters.push(String.fromCodePoint(code));
}

const nfd = (text) => text.normalize("NFD");
const nfc = (text) => text.normalize("NFC");
const hex = (text) => [...text].map((c) => c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")).join(" ");

console.log(`# Unicode ${process.versions.unicode}, made by unicode-forms.mjs. Unicode data: © Unicode, Inc., Unicode License V3.`);
console.log("# D: a character and what it is composed of. N: the same, and never composed again.");
for (const c of characters) {
  const parts = [...nfd(c)];
  if (parts.length === 1 && parts[0] === c) continue;
  const head = nfc(parts.slice(0, -1).join(""));
  const isComposed = nfc(c) === c && parts.length > 1 && [...head].length === 1;
  console.log(isComposed ? `D ${hex(c)} ${hex(head)} ${hex(parts.at(-1))}` : `N ${hex(c)} ${hex(parts.join(""))}`);
}

// Two marks change places where the class of the first is the higher one; equal classes and starters stay.
const swaps = (one, other) => nfd("q" + one + other) === "q" + other + one;
const marks = characters.filter((c) => /\p{M}/u.test(c) && nfd(c) === c);
const moving = marks.filter((c) => c === "\u0301" || swaps(c, "\u0334") || swaps("\u0301", c) || swaps(c, "\u0301") || swaps("\u0345", c));
const classes = [];
for (const mark of moving) {
  const same = classes.find(([first]) => !swaps(first, mark) && !swaps(mark, first));
  same ? same.push(mark) : classes.push([mark]);
}

classes.sort(([one], [other]) => (swaps(one, other) ? 1 : -1));
console.log("# M: marks of one combining class, in the order of the classes.");
for (const marksOfOne of classes) console.log(`M ${hex(marksOfOne.join(""))}`);
