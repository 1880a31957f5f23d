// What pages do beyond HTML: toasts, focus after a swap, the browser's time zone.
(() => {
  const toasts = () => document.getElementById("toasts");

  function toast(text) {
    const line = document.createElement("p");
    line.className = "toast";
    line.textContent = text;
    toasts().append(line);
    fade(line);
  }

  function fade(line) {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "quiet";
    close.textContent = "×";
    close.setAttribute("aria-label", document.body.dataset.close);
    close.addEventListener("click", () => line.remove());
    line.append(close);
    setTimeout(() => line.remove(), 8000);
  }

  toasts().querySelectorAll(".toast").forEach(fade);
  document.body.addEventListener("toast", (event) => toast(decodeURIComponent(event.detail.value)));
  document.body.addEventListener("htmx:sendError", () => toast(document.body.dataset.offline));
  document.body.addEventListener("htmx:timeout", () => toast(document.body.dataset.offline));

  // htmx keeps the focus of fields that have an id; a form that came back with mistakes
  // shows the first one.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const wrong = event.detail.elt.querySelector?.("[aria-invalid=true]");
    if (wrong && !event.detail.elt.contains(document.activeElement)) wrong.focus();
  });
  document.querySelector("main [aria-invalid=true]")?.focus();

  // What would take the place of something typed asks first.
  const typed = (form) => [...(form?.elements ?? [])].some((field) => field.value !== field.defaultValue && "defaultValue" in field);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-typed]");
    if (link && typed(link.closest("form")) && !confirm(link.dataset.typed)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);

  // Who works by keyboard stays where he was when that part of the page is replaced, and what he
  // has unfolded stays open.
  const reachable = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  let held = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    const active = document.activeElement;
    held = {
      same: target.contains(active) ? active.getAttribute("href") ?? active.getAttribute("name") ?? active.textContent : null,
      beside: target.nextElementSibling ?? target.previousElementSibling,
      open: [...target.querySelectorAll("details")].map((one) => one.open),
    };
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const { elt } = event.detail;
    if (!held) return;
    const folds = elt.querySelectorAll("details");
    if (folds.length === held.open.length) folds.forEach((one, i) => (one.open ||= held.open[i]));
    if (held.same !== null && document.activeElement === document.body) {
      const choices = [...elt.querySelectorAll(reachable)];
      const same = choices.find((one) => [one.getAttribute("href"), one.getAttribute("name"), one.textContent].includes(held.same));
      (same ?? choices[0] ?? held.beside?.querySelector(reachable) ?? document.getElementById("main"))?.focus({ preventScroll: true });
    }
    held = null;
  });

  // A preview follows what is typed: the button that asks for it is pressed after a pause. The
  // answer comes into a frame of its own, which leaves no step behind for the Back button.
  document.querySelectorAll("[data-frame]").forEach((button) => {
    const form = button.form;
    let waiting;
    const show = () => {
      const old = form.querySelector(`iframe[name="${button.dataset.frame}"]`);
      const fresh = old.cloneNode();
      fresh.removeAttribute("src");
      old.replaceWith(fresh);
      form.requestSubmit(button);
    };
    form.addEventListener("input", (event) => {
      if (!event.target.closest("[hx-post]")) {
        clearTimeout(waiting);
        waiting = setTimeout(show, 500);
      }
    });
    if (form.querySelector("iframe[data-stale]")) show();
  });

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.querySelectorAll("input[data-browser-zone]").forEach((field) => {
    if (zone) field.value = zone;
  });
  document.querySelectorAll("datalist[data-zones]").forEach((list) => {
    for (const name of Intl.supportedValuesOf?.("timeZone") ?? []) list.append(new Option(name, name));
  });
})();
