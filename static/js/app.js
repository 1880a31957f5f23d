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
    if (!line.closest(".flash")) setTimeout(() => line.remove(), 8000);
  }

  document.querySelectorAll(".flash .toast").forEach(fade);
  document.body.addEventListener("toast", (event) => toast(decodeURIComponent(event.detail.value)));
  document.body.addEventListener("htmx:sendError", () => toast(document.body.dataset.offline));
  document.body.addEventListener("htmx:timeout", () => toast(document.body.dataset.offline));

  // A file is chosen in the words of the page, not the browser's. The field stays, above what is seen, for drops and keys.
  function dressFile(input) {
    if (input.closest(".file")) return;
    const place = document.createElement("span");
    const button = document.createElement("span");
    const name = document.createElement("span");
    place.className = "file";
    button.className = "file-button";
    name.className = "file-name";
    for (const one of [button, name]) one.setAttribute("aria-hidden", "true");
    button.textContent = document.body.dataset.choose;
    const tell = () => { name.textContent = [...input.files].map((file) => file.name).join(", ") || document.body.dataset.none; };
    input.before(place);
    place.append(button, name, input);
    input.addEventListener("change", tell);
    tell();
  }
  const dressFiles = (part) => part.querySelectorAll("input[type=file]").forEach(dressFile);
  dressFiles(document);
  document.body.addEventListener("htmx:load", (event) => dressFiles(event.target));

  // htmx keeps the focus of fields that have an id; a form that came back with mistakes shows the
  // first one.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const status = event.detail.xhr?.status;
    if (status === 422) event.detail.elt.querySelector("[aria-invalid=true]")?.focus();
    if (status === 409) event.detail.elt.querySelector("[data-stored]")?.focus();
  });
  document.querySelector("main [data-stored], main [aria-invalid=true]")?.focus();

  // What would take the place of something typed asks first.
  const typed = (form) => [...(form?.elements ?? [])].some((field) => field.value !== field.defaultValue && "defaultValue" in field);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-typed]");
    if (link && typed(link.closest("form")) && !confirm(link.dataset.typed)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);

  // Who works by keyboard stays where he was when that part of the page is replaced, and goes to
  // the neighbour of a row that is deleted; what he has unfolded stays open.
  const reachable = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const nowhere = () => document.activeElement.matches("body, #main");
  const names = (one) => [one.getAttribute("href"), one.getAttribute("name"), one.textContent];
  const held = new WeakMap(); // by request

  function leave(row) {
    const near = row.nextElementSibling ?? row.previousElementSibling;
    (near?.querySelector(".actions :is(a, button)") ?? document.querySelector(".head .button:not(.second)"))?.focus();
  }

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr, shouldSwap, requestConfig } = event.detail;
    if (shouldSwap && requestConfig.verb === "delete" && target.contains(document.activeElement)) leave(target);
    held.set(xhr, {
      same: nowhere() ? null : names(document.activeElement).find((name) => name !== null),
      beside: target.nextElementSibling ?? target.previousElementSibling,
      open: [...target.querySelectorAll("details")].map((one) => one.open),
    });
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const { elt, target, xhr } = event.detail;
    if (!held.has(xhr)) return; // a step back
    const { same, beside, open } = held.get(xhr);
    const part = target.isConnected ? target : elt;
    const folds = part.querySelectorAll("details");
    if (folds.length === open.length) folds.forEach((one, i) => (one.open ||= open[i]));
    if (same !== null && nowhere()) {
      const choices = [...part.querySelectorAll(reachable)];
      const again = choices.find((one) => names(one).includes(same));
      (again ?? choices[0] ?? beside?.querySelector(reachable) ?? document.getElementById("main")).focus({ preventScroll: true });
    }
  });

  // Folds of the menu close when something else is chosen.
  const folds = (except) => document.querySelectorAll(".fold details[open]").forEach((one) => one.contains(except) || (one.open = false));
  document.addEventListener("click", (event) => folds(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const summary = document.activeElement?.closest?.(".fold details[open]")?.querySelector("summary");
    folds(null);
    summary?.focus();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-show]");
    if (!button) return;
    const input = document.getElementById(button.dataset.show);
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) navigator.clipboard?.writeText(document.getElementById(button.dataset.copy).textContent).then(() => toast(button.dataset.copied));
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
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, 500);
    };
    form.addEventListener("input", (event) => {
      if (!event.target.closest("[hx-post]")) soon();
    });
    form.addEventListener("htmx:afterSettle", (event) => {
      if (event.target.closest(".composer")) soon();
    });
    if (form.querySelector("iframe[data-stale]")) show();
  });

  // What is typed into a form that is marked with its page is kept every ten seconds: with the account, not in this
  // browser, which others may use.
  const draftEvery = 10_000;
  const waiting = new Map(); // forms with something new, and their timers
  const fieldsOf = (form) => new URLSearchParams([...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "_method"));

  async function keepDraft(form) {
    waiting.delete(form);
    const answer = await fetch("/drafts", {
      method: "POST", body: fieldsOf(form), keepalive: true, headers: { "HX-Request": "true", "HX-Current-URL": form.dataset.draft },
    }).catch(() => null); // the next change tries again
    if (answer?.status === 401) toast(document.body.dataset.signedOut);
    if (!answer?.ok || !form.isConnected) return;
    const note = form.querySelector(":scope > .draft-kept") ?? form.appendChild(document.createElement("p"));
    note.className = "hint draft-kept";
    note.innerHTML = await answer.text();
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.dataset.draft && event.target.type !== "password" && !waiting.has(form)) {
      waiting.set(form, setTimeout(keepDraft, draftEvery, form));
    }
  });
  document.addEventListener("submit", (event) => {
    clearTimeout(waiting.get(event.target));
    waiting.delete(event.target);
  }, true);
  addEventListener("pagehide", () => waiting.forEach((timer, form) => {
    clearTimeout(timer);
    keepDraft(form);
  }));

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.querySelectorAll("input[data-browser-zone]").forEach((field) => {
    if (zone) field.value = zone;
  });
  document.querySelectorAll("datalist[data-zones]").forEach((list) => {
    for (const name of Intl.supportedValuesOf?.("timeZone") ?? []) list.append(new Option(name, name));
  });
})();
