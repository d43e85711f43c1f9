// Offers names of organisms, imaging methods and entities as one types, from /api/v1/terms. The forms work without it.
"use strict";
(() => {
  const PAUSE = 150; // Milliseconds without a key after which is asked.
  const SHORTEST = 2;
  const MOST = 8;

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  const find = async (typed, ontology, signal) => {
    const asked = new URLSearchParams({ q: typed, limit: MOST });
    if (ontology) asked.set("ontology", ontology);
    const answer = await fetch(`/api/v1/terms?${asked}`, { signal });
    if (!answer.ok) return [];
    return (await answer.json()).terms.filter((term) => !term.deprecated);
  };

  const enhance = (input, number) => {
    const id = `completion-${number}`;
    const list = element("ul", { id, role: "listbox", "aria-label": "Suggested terms", class: "completion", hidden: "" });
    const status = element("span", { role: "status", class: "hidden" });
    const focused = document.activeElement === input;
    const box = element("span", { class: "completed" });
    input.replaceWith(box);
    box.append(input, list, status);
    if (focused) input.focus();
    for (const [key, value] of Object.entries({ role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false" }))
      input.setAttribute(key, value);

    let timer, asking, active = -1, before = "";

    const close = () => {
      clearTimeout(timer);
      asking?.abort();
      list.hidden = true;
      list.replaceChildren();
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const mark = (at) => {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = at;
      const option = list.children[active];
      if (!option) return input.removeAttribute("aria-activedescendant");
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    };
    const take = (label) => {
      input.value = before + label;
      status.textContent = "";
      close();
    };
    const offer = (terms) => {
      list.replaceChildren(...terms.map((term, at) => {
        const also = term.matched && term.matched !== term.label ? `${term.matched} · ` : "";
        const count = term.count === 1 ? "1 dataset" : `${term.count} datasets`;
        const told = element("span", { class: "fine" }, `${also}${term.curie} · ${count}`);
        const option = element("li", { id: `${id}-${at}`, role: "option", "aria-selected": "false" }, term.label, " ", told);
        option.addEventListener("mousedown", (event) => event.preventDefault());
        option.addEventListener("click", () => take(term.label));
        option.label = term.label;
        return option;
      }));
      active = -1;
      input.removeAttribute("aria-activedescendant");
      list.hidden = terms.length === 0;
      input.setAttribute("aria-expanded", String(terms.length > 0));
      status.textContent = terms.length ? `${terms.length} suggested, arrow keys choose` : "";
    };
    const ask = async () => {
      const typed = input.value.trim();
      asking?.abort();
      asking = new AbortController();
      const { signal } = asking;
      try {
        before = "";
        let terms = typed.length < SHORTEST ? [] : await find(typed, input.dataset.complete, signal);
        // Of several words, the last may begin a name.
        const last = /^(.*[\s(])(-?"?)([^\s("]+)$/.exec(input.value);
        if (!terms.length && last && last[3].length >= SHORTEST && "words" in input.dataset) {
          terms = await find(last[3], input.dataset.complete, signal);
          before = last[1];
        }
        if (!signal.aborted && document.activeElement === input) offer(terms);
      } catch (error) {
        // What cannot be asked is not offered; typing goes on.
        if (error.name !== "AbortError") close();
      }
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const open = !list.hidden;
      if (event.isComposing) return;
      if (event.key === "ArrowDown" && !open) ask();
      else if (event.key === "ArrowDown") mark(active + 1 < list.children.length ? active + 1 : 0);
      else if (event.key === "ArrowUp" && open) mark(active > 0 ? active - 1 : list.children.length - 1);
      else if (event.key === "Enter" && open && active >= 0) take(list.children[active].label);
      else if (event.key === "Escape" && open) close();
      else return;
      event.preventDefault();
    });
  };

  document.querySelectorAll("input[data-complete]").forEach(enhance);
})();
