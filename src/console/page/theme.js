// @ts-check
// Runs before anything is drawn: the theme that was chosen, or the system's.
{
  const NAMES = ["automatic", "light", "dark"];
  const KEY = "portico-theme";
  const root = document.documentElement;

  /** @returns {string} */
  const stored = () => {
    try {
      return localStorage.getItem(KEY) ?? "automatic";
    } catch {
      return "automatic";
    }
  };

  /** @param {string} name */
  const apply = (name) => {
    root.dataset["theme"] = name;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${name}`;
  };

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => {
    apply(stored());
    document.getElementById("theme")?.addEventListener("click", () => {
      const at = NAMES.indexOf(root.dataset["theme"] ?? "");
      const next = NAMES[(at + 1) % NAMES.length] ?? "automatic";
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // It holds until the page is left.
      }
      apply(next);
    });
  });
}
