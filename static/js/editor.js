// Makes the text of a post easier to write and its picture easier to choose; without this file
// the form works as it stands.
(() => {
  const place = document.querySelector(".editor");
  const area = place?.querySelector("textarea");
  if (area && window.EasyMDE) edit(place, area);

  function edit(place, area) {
    const tools = place.querySelector("template.editor-tools");
    const toolbar = [...tools.content.querySelectorAll("button")].map((button) => ({
      name: button.dataset.action,
      action: EasyMDE[button.dataset.action],
      title: button.title,
      icon: button.innerHTML,
      noDisable: button.dataset.action === "togglePreview",
    }));
    const editor = new EasyMDE({
      element: area,
      toolbar,
      autoDownloadFontAwesome: false,
      spellChecker: false,
      nativeSpellcheck: true,
      inputStyle: "contenteditable",
      status: false,
      minHeight: "22rem",
      forceSync: true,
      previewClass: ["editor-preview", "prose"],
      previewRender: (text, pane) => {
        show(text, pane);
        return pane.innerHTML;
      },
    });
    const mirror = editor.codemirror;
    // Tab leaves the field, as everywhere.
    mirror.setOption("extraKeys", { ...mirror.getOption("extraKeys"), Tab: false, "Shift-Tab": false });
    const input = mirror.getInputField();
    input.id = area.id + "-editor";
    input.setAttribute("aria-labelledby", labelOf(area));
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (area.hasAttribute(name)) input.setAttribute(name, area.getAttribute(name));
    }
    place.querySelectorAll(".editor-toolbar button").forEach((button) => (button.tabIndex = 0));
    area.required = false; // it is hidden now; the server checks
    if (area.getAttribute("aria-invalid") && document.querySelector("[aria-invalid=true]") === area) mirror.focus();

    // The server shows it, so that the preview is what readers will see.
    async function show(text, pane) {
      const body = new FormData();
      body.set("body", text);
      try {
        const answer = await fetch(place.dataset.preview, { method: "POST", body, headers: { "HX-Request": "true" } });
        pane.innerHTML = answer.ok ? await answer.text() : tools.dataset.failed;
      } catch {
        pane.textContent = tools.dataset.failed;
      }
    }
  }

  function labelOf(area) {
    const label = area.labels[0];
    label.id ||= area.id + "-label";
    label.addEventListener("click", () => area.nextElementSibling?.querySelector(".CodeMirror")?.CodeMirror.focus());
    return label.id;
  }

  // A file that the server would refuse for its size is not even sent.
  document.querySelectorAll("input[type=file][data-max]").forEach((field) => {
    const note = document.createElement("small");
    note.className = "problem";
    note.id = field.id + "-size";
    note.setAttribute("role", "alert");
    field.after(note);
    field.addEventListener("change", () => {
      const large = field.files[0]?.size > Number(field.dataset.max);
      note.textContent = large ? field.dataset.tooLarge : "";
      field.toggleAttribute("aria-invalid", large);
      if (large) {
        field.setAttribute("aria-invalid", "true");
        field.value = "";
      }
    });
  });
})();
