"use strict";
{
  const form = document.querySelector("form.filter");
  const groups = [...document.querySelectorAll(".matrix tbody")];
  const rows = groups.flatMap((group) => [...group.querySelectorAll("tr:not(.area)")]).map((row) => {
    const cells = [...row.querySelectorAll("a.cell")];
    const states = cells.map((cell) => cell.dataset.state);
    const answers = cells.map((cell) => cell.title);
    const differs = new Set(states).size > 1 || cells.length < row.cells.length - 1;
    return { row, states, differs, text: (row.textContent + answers.join(" ")).toLowerCase() };
  });
  const apply = () => {
    const asked = new FormData(form);
    const states = new Set(asked.getAll("state"));
    const words = asked.get("text").toLowerCase().split(/\s+/);
    let shown = 0;
    for (const { row, states: has, differs, text } of rows) {
      const fits = has.some((state) => states.has(state))
        && words.every((word) => text.includes(word))
        && (differs || !asked.get("differ"));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const group of groups) group.hidden = !group.querySelector("tr:not(.area):not([hidden])");
    form.querySelector("output").textContent = `${shown} of ${rows.length} cases`;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("keydown", (event) => {
    const close = event.key === "Escape" && document.querySelector(".panel:target .close");
    if (close) close.click();
  });
  apply();
}
