// The editor of rules and plan: line numbers, mistakes at their lines, and what
// the text would do, while it is typed. The form works without any of it.
const pause = 400; // ms without a key before the server is asked
const mostOffers = 8;
const longestValue = 120; // characters of a value that is told

for (const form of document.querySelectorAll("form[data-editor]")) {
  const field = form.querySelector("textarea");
  const result = form.parentElement.querySelector("[data-result]");
  const gutter = gutterOf(field);
  offerWords(field);
  if (field.hasAttribute("data-tells")) tellValues(field, result);
  const show = () => {
    gutter.mark(result);
    prepare(form, field, result);
  };
  show();
  let timer;
  let asked = 0;
  field.addEventListener("input", () => {
    gutter.number();
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const turn = ++asked;
      const body = new URLSearchParams(new FormData(form));
      body.set("fragment", "yes");
      let text;
      try {
        const response = await fetch(form.action, { method: "POST", body });
        if (!response.ok) throw new Error(response.statusText);
        text = await response.text();
      } catch {
        return; // the buttons still work, and say what is wrong
      }
      if (turn !== asked) return; // more was typed meanwhile
      const unfolded = result.querySelector("[data-advice]")?.open;
      result.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
      const chosen = result.querySelector(`[data-event="${field.dataset.chosen}"]`);
      if (chosen) chosen.open = true;
      if (unfolded) result.querySelector("[data-advice]")?.setAttribute("open", "");
      show();
    }, pause);
  });
}

// gutterOf puts line numbers beside a field.
function gutterOf(field) {
  const box = document.createElement("div");
  box.className = "gutter";
  box.setAttribute("aria-hidden", "true");
  const lines = document.createElement("ol");
  box.append(lines);
  field.before(box);
  let wrong = new Set();
  const number = () => {
    const count = field.value.split("\n").length;
    while (lines.childElementCount > count) lines.lastChild.remove();
    while (lines.childElementCount < count) lines.append(document.createElement("li"));
    [...lines.children].forEach((line, i) => line.classList.toggle("wrong", wrong.has(i + 1)));
  };
  field.addEventListener("scroll", () => {
    lines.style.transform = `translateY(${-field.scrollTop}px)`;
  });
  number();
  return {
    number,
    mark(result) {
      wrong = new Set([...result.querySelectorAll(".error [data-line]")].map((e) => Number(e.dataset.line)));
      number();
    },
  };
}

// prepare lets the links of a result lead to their lines, and its proposals
// into the text.
function prepare(form, field, result) {
  for (const place of result.querySelectorAll("[data-line]")) {
    const go = (event) => {
      event.preventDefault();
      const lines = field.value.split("\n");
      const line = Math.min(Number(place.dataset.line), lines.length);
      const at = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      field.focus();
      field.setSelectionRange(at, at + lines[line - 1].length);
      field.scrollTop = Math.max(0, (line - 5) * lineHeight(field));
    };
    place.addEventListener("click", go);
  }
  for (const button of result.querySelectorAll("[data-insert]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const text = button.closest("details").querySelector("pre").textContent.trimEnd();
      const rules = text.replace(/^rules:\n/, "");
      const tests = field.value.search(/^tests:/m);
      const before = (tests < 0 ? field.value : field.value.slice(0, tests)).trimEnd();
      field.value = `${before}\n${rules}\n${tests < 0 ? "" : field.value.slice(tests)}`;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    });
  }
}

function lineHeight(field) {
  return Number.parseFloat(getComputedStyle(field).lineHeight);
}

// offerWords completes names: with Ctrl+Space or Alt+Down, or behind a dot. The
// Tab key is left alone: it leads out of the field, as everywhere.
function offerWords(field) {
  const words = (field.dataset.words ?? "").split("\n").filter(Boolean);
  if (!words.length) return;
  const list = document.createElement("ul");
  list.className = "offers";
  list.id = `${field.id}-offers`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Names to complete");
  list.hidden = true;
  field.after(list);
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-autocomplete", "list");
  let chosen = 0;
  const typed = () => field.value.slice(0, field.selectionStart).match(/[\p{L}_][\p{L}\p{N}_.:]*$/u)?.[0] ?? "";
  const close = () => {
    list.hidden = true;
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (i) => {
    chosen = (i + list.childElementCount) % list.childElementCount;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    field.setAttribute("aria-activedescendant", list.children[chosen].id);
  };
  const accept = () => {
    const word = list.children[chosen].textContent;
    const from = field.selectionStart - typed().length;
    field.setRangeText(word, from, field.selectionStart, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const open = () => {
    const begun = typed().toLowerCase();
    const fitting = words.filter((word) => word.toLowerCase().startsWith(begun) && word.toLowerCase() !== begun).slice(0, mostOffers);
    if (!fitting.length) {
      close();
      return;
    }
    list.replaceChildren(
      ...fitting.map((word, i) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${i}`;
        item.setAttribute("role", "option");
        item.textContent = word;
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(i);
          accept();
        });
        return item;
      }),
    );
    list.hidden = false;
    choose(0);
  };
  field.addEventListener("input", () => {
    if (!list.hidden || typed().endsWith(".")) open();
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if ((event.ctrlKey && event.code === "Space") || (event.altKey && event.key === "ArrowDown")) {
      event.preventDefault();
      open();
      return;
    }
    if (list.hidden) return;
    const moves = { ArrowDown: () => choose(chosen + 1), ArrowUp: () => choose(chosen - 1), Enter: accept, Escape: close };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      move();
    }
  });
}

// tellValues says what a payload holds at the member that the caret is at, below
// the field, and at the one under the pointer, as its title.
function tellValues(field, result) {
  const line = document.createElement("p");
  line.className = "told soft";
  line.setAttribute("aria-live", "polite");
  field.after(line);
  result.addEventListener("click", (event) => {
    const shown = event.target.closest("details.event");
    if (shown && event.target.closest("summary") && !shown.open) field.dataset.chosen = shown.dataset.event;
  });
  const tell = (path) => (path ? describe(path, payloadsOf(result, field.dataset.chosen)) : "");
  const follow = () => {
    const before = field.value.slice(0, field.selectionEnd);
    const row = before.split("\n").length - 1;
    const text = tell(memberAt(field, row, before.length - before.lastIndexOf("\n") - 1));
    if (text !== line.textContent) line.textContent = text; // it is read aloud
  };
  for (const name of ["keyup", "click", "input"]) field.addEventListener(name, follow);
  const ruler = document.createElement("canvas").getContext("2d");
  field.addEventListener("mousemove", (event) => {
    const style = getComputedStyle(field);
    ruler.font = style.font;
    const column = Math.floor((event.offsetX - Number.parseFloat(style.paddingLeft) + field.scrollLeft) / ruler.measureText("m").width);
    const row = Math.floor((event.offsetY - Number.parseFloat(style.paddingTop) + field.scrollTop) / lineHeight(field));
    field.title = tell(memberAt(field, row, column));
  });
}

// memberAt is the path of a member at a place of the text, or nothing.
function memberAt(field, row, column) {
  const line = field.value.split("\n")[row] ?? "";
  const path = [...line.matchAll(/[A-Za-z_][\w.]*/g)].find((m) => m.index <= column && column <= m.index + m[0].length)?.[0] ?? "";
  return /^(body|record)\./.test(path) ? path : "";
}

// payloadsOf lists the newest events: the chosen one first, then those that are
// open.
function payloadsOf(result, chosen) {
  const rank = (event) => (event.dataset.event === chosen ? 0 : event.open ? 1 : 2);
  return [...result.querySelectorAll("details.event")].sort((a, b) => rank(a) - rank(b));
}

// describe reads the first payload that has the member.
function describe(path, events) {
  const [root, ...names] = path.split(".");
  for (const event of events) {
    const text = event.querySelector(`pre[data-holds="${root}"]`)?.textContent ?? "";
    const value = valueIn(text.split("\n"), names);
    if (value !== undefined) return `${path} is ${value} in ${event.querySelector("summary code").textContent}`;
  }
  return `${path} is in none of the payloads shown`;
}

// valueIn finds a member in JSON with a member a line, by its indentation: so it
// also reads what was cut, and every digit of a number stays.
function valueIn(lines, names) {
  let from = 0;
  for (const [depth, name] of names.entries()) {
    const indent = "  ".repeat(depth + 1);
    const begin = `${indent}${JSON.stringify(name)}: `;
    let at = from + 1;
    while (at < lines.length && lines[at].startsWith(indent) && !lines[at].startsWith(begin)) at++;
    if (!lines[at]?.startsWith(begin)) return undefined;
    from = at;
    if (depth === names.length - 1) return whole(lines, at, indent, lines[at].slice(begin.length));
  }
  return undefined;
}

// whole is a value in one line, cut where it is long.
function whole(lines, at, indent, text) {
  if (/^[[{]$/.test(text)) {
    for (let i = at + 1; i < lines.length && text.length < longestValue; i++) {
      text += ` ${lines[i].trim()}`;
      if (!lines[i].startsWith(`${indent} `)) break;
    }
  }
  text = text.replace(/,$/, "");
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
