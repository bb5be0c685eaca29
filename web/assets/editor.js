// The editor of rules and plan: line numbers, mistakes at their lines, and what
// the text would do, while it is typed. The form works without any of it.
const pause = 400; // ms without a key before the server is asked
const mostOffers = 8;

for (const form of document.querySelectorAll("form[data-editor]")) {
  const field = form.querySelector("textarea");
  const result = form.parentElement.querySelector("[data-result]");
  const gutter = gutterOf(field);
  offerWords(field);
  tellValues(field, result);
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
      result.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
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

// offerWords completes names: with Ctrl+Space, or behind a dot.
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
    if (event.ctrlKey && event.code === "Space") {
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

// tellValues says, for the member under the pointer, what the newest payload
// holds there.
function tellValues(field, result) {
  const ruler = document.createElement("canvas").getContext("2d");
  field.addEventListener("mousemove", (event) => {
    const style = getComputedStyle(field);
    ruler.font = style.font;
    const column = Math.floor((event.offsetX - Number.parseFloat(style.paddingLeft) + field.scrollLeft) / ruler.measureText("m").width);
    const row = Math.floor((event.offsetY - Number.parseFloat(style.paddingTop) + field.scrollTop) / lineHeight(field));
    const line = field.value.split("\n")[row] ?? "";
    const path = [...line.matchAll(/[A-Za-z_][\w.]*/g)].find((m) => m.index <= column && column < m.index + m[0].length)?.[0];
    field.title = path?.startsWith("body.") ? describe(path, result) : "";
  });
}

function describe(path, result) {
  for (const pre of result.querySelectorAll('pre[aria-label="Payload"]')) {
    let value;
    try {
      value = JSON.parse(pre.textContent);
    } catch {
      continue;
    }
    for (const name of path.split(".").slice(1)) value = value?.[name];
    if (value !== undefined) return `${path} = ${JSON.stringify(value)}`;
  }
  return "";
}
