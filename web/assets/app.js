// Behaviour hangs on data- attributes; every page works without it.
const root = document.documentElement;

try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
} catch {
  // Without storage the system's own choice stands.
}

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // It lasts until the next page then.
    }
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  });
}

// A list that is chosen from with the pointer shows what was chosen at once. By
// keyboard every arrow is a change; there the button says when.
for (const form of document.querySelectorAll("form[data-auto]")) {
  for (const field of form.querySelectorAll("select")) {
    let pointed = false;
    field.addEventListener("pointerdown", () => (pointed = true));
    field.addEventListener("keydown", () => (pointed = false));
    field.addEventListener("change", () => pointed && form.requestSubmit());
  }
}

// Parts that keep themselves up to date. One that holds the focus waits.
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener("message", (event) => {
    if (part.contains(document.activeElement)) return;
    part.replaceChildren(...new DOMParser().parseFromString(event.data, "text/html").body.childNodes);
  });
  addEventListener("pagehide", () => source.close());
}
