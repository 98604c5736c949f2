// A table that is wider than its column is scrolled: it then takes the focus, so that the arrow keys scroll it.
// @ts-check
{
  const mark = () => {
    for (const table of document.querySelectorAll("table")) {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
      else table.removeAttribute("tabindex");
    }
  };
  addEventListener("load", mark);
  addEventListener("resize", mark);
}
