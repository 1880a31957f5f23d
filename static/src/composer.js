// The composer with JavaScript: texts are edited as they look. What is typed goes back into the text field as
// Markdown, and only where something was typed; without this file the form works as it stands.
import { baseKeymap, toggleMark } from "prosemirror-commands";
import { history, redo, undo } from "prosemirror-history";
import { keymap } from "prosemirror-keymap";
import { MarkdownParser, MarkdownSerializer } from "prosemirror-markdown";
import MarkdownIt from "markdown-it";
import { Schema } from "prosemirror-model";
import { liftListItem, sinkListItem, splitListItem, wrapInList } from "prosemirror-schema-list";
import { EditorState, Plugin } from "prosemirror-state";
import { EditorView } from "prosemirror-view";

const reachable = /^(https?:|mailto:|tel:)/i;

// What a text may hold: the same as blocks.Simple of the server.
const schema = new Schema({
  nodes: {
    doc: { content: "block+" },
    paragraph: { group: "block", content: "inline*", parseDOM: [{ tag: "p" }], toDOM: () => ["p", 0] },
    heading: {
      group: "block", content: "inline*", attrs: { level: { default: 2 } }, defining: true,
      parseDOM: [1, 2, 3, 4, 5, 6].map((level) => ({ tag: "h" + level, attrs: { level } })),
      toDOM: (node) => ["h" + node.attrs.level, 0],
    },
    bullet_list: { group: "block", content: "list_item+", attrs: { tight: { default: true } }, parseDOM: [{ tag: "ul" }], toDOM: () => ["ul", 0] },
    ordered_list: {
      group: "block", content: "list_item+", attrs: { order: { default: 1 }, tight: { default: true } },
      parseDOM: [{ tag: "ol", getAttrs: (dom) => ({ order: Number(dom.getAttribute("start") ?? 1) }) }],
      toDOM: (node) => ["ol", node.attrs.order === 1 ? {} : { start: node.attrs.order }, 0],
    },
    list_item: { content: "paragraph block*", defining: true, parseDOM: [{ tag: "li" }], toDOM: () => ["li", 0] },
    text: { group: "inline" },
    hard_break: { group: "inline", inline: true, selectable: false, parseDOM: [{ tag: "br" }], toDOM: () => ["br"] },
    field: {
      group: "inline", inline: true, atom: true, attrs: { source: {} }, // a placeholder: {{name}}
      parseDOM: [{ tag: "span[data-field]", getAttrs: (dom) => ({ source: dom.dataset.field }) }],
      toDOM: (node) => ["span", { class: "chip", "data-field": node.attrs.source }, labelOf(node.attrs.source)],
      leafText: (node) => node.attrs.source,
    },
  },
  marks: {
    link: {
      inclusive: false, attrs: { href: {}, title: { default: null } },
      parseDOM: [{ tag: "a[href]", getAttrs: (dom) => reachable.test(dom.getAttribute("href")) && { href: dom.getAttribute("href") } }],
      toDOM: (mark) => ["a", { title: mark.attrs.href }, 0],
    },
    em: { parseDOM: [{ tag: "i" }, { tag: "em" }, { style: "font-style=italic" }], toDOM: () => ["em", 0] },
    strong: {
      // Google Docs wraps all that it copies in a <b> that isn't bold.
      parseDOM: [{ tag: "strong" }, { tag: "b", getAttrs: (dom) => dom.style.fontWeight !== "normal" && null },
        { style: "font-weight", getAttrs: (weight) => /^(bold(er)?|[6-9]00)$/.test(weight) && null }],
      toDOM: () => ["strong", 0],
    },
  },
});

const labels = {};
const labelOf = (source) => labels[source.slice(2, -2).split("|")[0].trim()] ?? source;

const markdown = new MarkdownIt("commonmark", { html: false })
  .disable(["lheading", "blockquote", "code", "fence", "hr", "image", "backticks", "html_inline", "html_block", "reference", "autolink"]);
markdown.normalizeLink = (address) => address; // a placeholder stays one
markdown.validateLink = () => true;
markdown.inline.ruler.before("escape", "field", (state, silent) => {
  const found = /^\{\{[^{}\r\n]*\}\}/.exec(state.src.slice(state.pos));
  if (!found) return false;
  if (!silent) state.push("field", "", 0).content = found[0];
  state.pos += found[0].length;
  return true;
});

const tight = (tokens, i) => {
  while (++i < tokens.length) if (tokens[i].type !== "list_item_open") return tokens[i].hidden;
  return false;
};
const parser = new MarkdownParser(schema, markdown, {
  paragraph: { block: "paragraph" },
  heading: { block: "heading", getAttrs: (token) => ({ level: Number(token.tag.slice(1)) }) },
  list_item: { block: "list_item" },
  bullet_list: { block: "bullet_list", getAttrs: (_, tokens, i) => ({ tight: tight(tokens, i) }) },
  ordered_list: { block: "ordered_list", getAttrs: (token, tokens, i) => ({ order: Number(token.attrGet("start") ?? 1), tight: tight(tokens, i) }) },
  hardbreak: { node: "hard_break" },
  softbreak: { node: "hard_break" }, // emails keep the author's line breaks
  field: { node: "field", getAttrs: (token) => ({ source: token.content }) },
  em: { mark: "em" },
  strong: { mark: "strong" },
  link: { mark: "link", getAttrs: (token) => ({ href: token.attrGet("href"), title: token.attrGet("title") || null }) },
});

const address = /(?:https?:\/\/|www\.)[^\s<>]+/g;
const serializer = new MarkdownSerializer(
  {
    paragraph(state, node) {
      state.renderInline(node);
      state.closeBlock(node);
    },
    heading(state, node) {
      if (node.content.size === 0) return; // nothing is no heading
      state.write("#".repeat(node.attrs.level) + " ");
      state.renderInline(node, false);
      state.closeBlock(node);
    },
    bullet_list: (state, node) => state.renderList(node, "  ", () => "- "),
    ordered_list(state, node) {
      const width = String(node.attrs.order + node.childCount - 1).length;
      state.renderList(node, " ".repeat(width + 2), (i) => String(node.attrs.order + i).padStart(width) + ". ");
    },
    list_item: (state, node) => state.renderContent(node),
    hard_break(state, _node, parent, index) {
      if (index + 1 < parent.childCount) state.write("\n");
    },
    field: (state, node) => state.write(node.attrs.source),
    text(state, node) { // addresses stay as they are, or they would lead elsewhere
      let from = 0;
      for (const found of node.text.matchAll(address)) {
        words(state, node.text.slice(from, found.index));
        state.text(found[0], false);
        from = found.index + found[0].length;
      }
      words(state, node.text.slice(from));
    },
  },
  {
    em: { open: "*", close: "*", mixable: true, expelEnclosingWhitespace: true },
    strong: { open: "**", close: "**", mixable: true, expelEnclosingWhitespace: true },
    link: {
      open: "[",
      close: (_state, mark) => "](" + (/[\s()<>]/.test(mark.attrs.href) ? "<" + mark.attrs.href.replace(/[<>]/g, encodeURIComponent) + ">" : mark.attrs.href)
        + (mark.attrs.title ? ' "' + mark.attrs.title.replace(/["\\]/g, "\\$&") + '"' : "") + ")",
      mixable: true,
    },
  },
  { escapeExtraCharacters: /<|&(?=#?\w+;)/g },
);

function words(state, text) {
  if (!text) return;
  if (state.out === "" || state.out.endsWith("\n")) state.atBlockStart = true;
  state.text(text);
}

const toMarkdown = (doc) => serializer.serialize(doc, { tightLists: true }).trim();

// Word keeps the marks of its lists as text beside them.
function clean(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  page.querySelectorAll("style, script, title, meta, link, o\\:p, [style*='mso-list:Ignore' i], [style*='mso-list: Ignore' i]").forEach((one) => one.remove());
  for (const item of page.querySelectorAll("p[style*='mso-list' i]")) {
    const kind = /^\s*\d/.test(item.textContent) ? "ol" : "ul";
    const before = item.previousElementSibling;
    const list = before?.dataset.list ? before : item.parentNode.insertBefore(Object.assign(page.createElement(kind)), item);
    list.dataset.list = kind;
    const li = page.createElement("li");
    li.append(...item.childNodes);
    list.append(li);
    item.remove();
  }
  return page.body.innerHTML;
}

const commands = {
  bold: toggleMark(schema.marks.strong),
  italic: toggleMark(schema.marks.em),
  bullets: (state, dispatch) => liftListItem(schema.nodes.list_item)(state, dispatch) || wrapInList(schema.nodes.bullet_list)(state, dispatch),
  numbers: (state, dispatch) => liftListItem(schema.nodes.list_item)(state, dispatch) || wrapInList(schema.nodes.ordered_list)(state, dispatch),
  undo,
  redo,
};

const marked = (state, mark) => {
  const { from, to, empty, $from } = state.selection;
  return empty ? Boolean(mark.isInSet(state.storedMarks ?? $from.marks())) : state.doc.rangeHasMark(from, to, mark);
};

// A row of fields: who presses one is asked for the words where a client has none, and then it is put in.
function chips(insert) {
  const row = document.getElementById("field-chips")?.content.firstElementChild.cloneNode(true);
  if (!row) return null;
  const ask = row.querySelector(".chip-ask");
  const line = ask.querySelector("input");
  let chosen;
  const done = () => {
    const words = line.value.replace(/[{}|\r\n]/g, " ").trim();
    ask.hidden = true;
    insert("{{" + chosen.dataset.key + (words && "|" + words) + "}}");
    line.value = "";
    chosen.setAttribute("aria-expanded", "false");
  };
  row.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do === "insert") return done();
    chosen?.setAttribute("aria-expanded", "false");
    chosen = button;
    chosen.setAttribute("aria-expanded", "true");
    ask.hidden = false;
    ask.querySelector("b").textContent = button.textContent;
    line.placeholder = button.dataset.sample;
    line.focus();
  });
  line.addEventListener("keydown", (event) => {
    if (event.key === "Enter") done();
    else if (event.key === "Escape") {
      ask.hidden = true;
      chosen.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  line.addEventListener("input", (event) => event.stopPropagation()); // it is no part of the email
  return row;
}

// The row of fields stands below the plain field that has the focus.
const takesFields = "input[name=subject], input[name=preheader], textarea[name=body]:not([hidden]), .block input[type=text]:not([inputmode]):not([name$=alt]), .block-text textarea";
const offerFields = (event) => {
  const field = event.target;
  if (!field.matches?.(takesFields) || field.closest(".rich-tools, .field-chips") || !field.form?.querySelector(".composer")) return;
  const row = chips((source) => {
    field.setRangeText(source, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
  if (!row || field.nextElementSibling?.matches(".field-chips")) return;
  document.querySelectorAll(".field > .field-chips").forEach((one) => one.remove());
  row.addEventListener("pointerdown", (press) => {
    if (!press.target.closest("input")) press.preventDefault();
  });
  field.after(row);
};
// The field that has the focus from the start gets its row when somebody uses it: nothing moves while the page loads.
for (const what of ["focusin", "click", "input"]) document.addEventListener(what, offerFields);

function rich(place, template) {
  const area = place.querySelector("textarea");
  const tools = template.content.firstElementChild.cloneNode(true);
  const link = tools.querySelector(".rich-link");
  const line = link.querySelector("input");
  const label = area.labels[0];
  label.id ||= area.id + "-label";
  const attributes = { class: "rich", role: "textbox", "aria-multiline": "true", "aria-labelledby": label.id };
  for (const name of ["aria-describedby", "aria-invalid"]) if (area.hasAttribute(name)) attributes[name] = area.getAttribute(name);

  const show = (state) => {
    tools.querySelector("[data-do=bold]").setAttribute("aria-pressed", marked(state, schema.marks.strong));
    tools.querySelector("[data-do=italic]").setAttribute("aria-pressed", marked(state, schema.marks.em));
    tools.querySelector("[data-do=link]").setAttribute("aria-pressed", marked(state, schema.marks.link));
  };
  const breakLine = (state, dispatch) => {
    dispatch(state.tr.replaceSelectionWith(schema.nodes.hard_break.create()).scrollIntoView());
    return true;
  };
  const askLink = () => {
    link.hidden = !link.hidden;
    if (!link.hidden) line.focus();
    return true;
  };
  const view = new EditorView({ mount: Object.assign(document.createElement("div")) }, {
    state: EditorState.create({
      doc: parser.parse(area.value),
      plugins: [
        history(),
        keymap({
          "Mod-b": commands.bold, "Mod-i": commands.italic, "Mod-k": askLink, "Mod-z": undo, "Mod-y": redo, "Shift-Mod-z": redo,
          "Shift-Enter": breakLine, Enter: splitListItem(schema.nodes.list_item), "Mod-]": sinkListItem(schema.nodes.list_item), "Mod-[": liftListItem(schema.nodes.list_item),
        }),
        keymap(baseKeymap),
        new Plugin({ view: () => ({ update: (view) => show(view.state) }) }),
      ],
    }),
    attributes,
    transformPastedHTML: clean,
    clipboardTextSerializer: (slice) => slice.content.textBetween(0, slice.content.size, "\n\n"),
    dispatchTransaction(change) {
      view.updateState(view.state.apply(change));
      if (!change.docChanged) return;
      area.value = toMarkdown(view.state.doc);
      area.dispatchEvent(new Event("input", { bubbles: true }));
    },
  });
  const insertLink = () => {
    const { from, to, empty } = view.state.selection;
    const href = line.value.trim();
    const mark = schema.marks.link;
    let change = view.state.tr;
    if (!href) change = change.removeMark(from, to, mark);
    else if (empty) change = change.replaceSelectionWith(schema.text(href, [mark.create({ href })]), false);
    else change = change.addMark(from, to, mark.create({ href }));
    view.dispatch(change);
    link.hidden = true;
    line.value = "";
    view.focus();
  };
  line.addEventListener("keydown", (event) => {
    if (event.key === "Enter") insertLink();
    else if (event.key === "Escape") link.hidden = true;
    else return;
    event.preventDefault();
    if (event.key === "Escape") view.focus();
  });
  const row = chips((source) => {
    view.dispatch(view.state.tr.replaceSelectionWith(schema.nodes.field.create({ source })));
    view.focus();
  });
  if (row) tools.append(row);
  // A press of a tool must not take the focus, and the selection with it, out of the text.
  tools.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("input")) event.preventDefault();
  });
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (!button) return;
    const { do: what } = button.dataset;
    if (what === "link") return askLink();
    else if (what === "link-set") return insertLink();
    else commands[what](view.state, view.dispatch);
    view.focus();
  });
  label.addEventListener("click", () => view.focus());
  area.hidden = true;
  area.removeAttribute("aria-invalid"); // the mark is on what is seen
  area.required = false; // the server checks
  area.after(tools, view.dom);
  show(view.state);
  if (area.autofocus) view.focus();
}

// A picture is chosen, dropped or pasted, made small here, because a phone's connection is slow, and sent.
const most = 1200;

async function small(file) {
  if (/png|webp|gif|svg/.test(file.type) && file.size < 9e6) return file;
  try {
    const picture = await createImageBitmap(file);
    const factor = Math.min(1, most / picture.width, (2 * most) / picture.height);
    if (factor === 1 && file.type === "image/jpeg" && file.size < 2e6) return file;
    const canvas = Object.assign(document.createElement("canvas"), { width: picture.width * factor, height: picture.height * factor });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return (await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9))) ?? file;
  } catch {
    return file; // the server says what is wrong with it
  }
}

async function send(place, file) {
  const field = place.querySelector("input[type=text][inputmode=url]");
  const choose = place.querySelector(".picture-choose");
  let note = choose.querySelector(".problem");
  note ??= choose.appendChild(Object.assign(document.createElement("small"), { className: "problem", role: "alert" }));
  note.textContent = "";
  choose.setAttribute("aria-busy", "true");
  try {
    const body = new FormData();
    body.set("image", await small(file), "picture");
    const answer = await fetch("/messages/pictures", { method: "POST", body });
    const text = await answer.text();
    if (!answer.ok) {
      note.textContent = answer.status === 422 ? text : document.body.dataset.offline;
      return;
    }
    field.value = text;
    let shown = place.querySelector(":scope > img");
    if (!shown) place.prepend((shown = Object.assign(document.createElement("img"), { alt: "" })));
    shown.src = new URL(text).pathname;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const alt = place.querySelector("input[name$='alt']");
    if (!alt.value) alt.focus();
  } catch {
    note.textContent = document.body.dataset.offline;
  } finally {
    choose.removeAttribute("aria-busy");
  }
}

function picture(place) {
  const choose = place.querySelector(".picture-choose");
  const input = choose.querySelector("input");
  if (choose.classList.contains("scripted")) return;
  choose.classList.add("scripted");
  const take = (list) => {
    const file = [...list].find((one) => one.type.startsWith("image/"));
    if (file) send(place, file);
    return Boolean(file);
  };
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    choose.classList.add("over");
  });
  place.addEventListener("dragleave", () => choose.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    choose.classList.remove("over");
    if (take(event.dataTransfer.files)) event.preventDefault();
  });
  place.addEventListener("paste", (event) => {
    if (take(event.clipboardData.files)) event.preventDefault();
  });
}

function enhance(root) {
  root.querySelectorAll("[data-picture]").forEach(picture);
  const template = document.getElementById("rich-tools") ?? root.querySelector?.("#rich-tools");
  if (!template) return;
  document.getElementById("field-chips")?.content.querySelectorAll("[data-key]").forEach((one) => (labels[one.dataset.key] = one.textContent.trim()));
  root.querySelectorAll("[data-rich]").forEach((place) => {
    if (!place.querySelector(".rich")) rich(place, template);
  });
  root.querySelector(".block-new")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

enhance(document);
document.body.addEventListener("htmx:load", (event) => enhance(event.detail.elt));
