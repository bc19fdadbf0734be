"use strict";
// Search, language, and the arrows of a box in a picture. Text is only ever written as text.
(function () {
  const page = document.documentElement, root = document.body.dataset.root;
  const field = document.getElementById("find"), list = document.getElementById("found");
  const first = page.dataset.lang, asked = new URLSearchParams(location.search);
  let shown = [], chosen = 0;

  function kept() { try { return localStorage.getItem("isthmus-lang"); } catch { return null; } }

  function speak(lang, keep) {
    page.dataset.lang = lang;
    page.lang = lang === "zh" ? "zh-CN" : "en";
    field.placeholder = field.dataset[lang];
    if (keep) { try { localStorage.setItem("isthmus-lang", lang); } catch { /* not here */ } }
  }

  function other() { speak(page.dataset.lang === "zh" ? "en" : "zh", true); }

  // A browser that keeps nothing for files is told by the address.
  function spoken(address) {
    const lang = page.dataset.lang, [path, mark] = address.split("#");
    return (lang === first ? path : path + "?lang=" + lang) + (mark ? "#" + mark : "");
  }

  function score(entry, words) {
    const name = entry[1].toLowerCase(), en = entry[3].toLowerCase(), zh = entry[4].toLowerCase();
    const last = name.slice(name.lastIndexOf(".") + 1);
    let sum = entry[0] === "t" ? 6 : entry[0] === "s" ? 2 : 0;
    if (entry[0] === "t" && name.startsWith("mart.")) sum += 3;
    if (name.startsWith("mart.") || name.startsWith("unified.")) sum += 2;
    for (const word of words) {
      if (last === word || zh === word) sum += 24;
      else if (last.startsWith(word)) sum += 14;
      else if (name.includes(word)) sum += 9;
      else if (zh.includes(word)) sum += 8;
      else if (en.startsWith(word)) sum += 7;
      else if (en.includes(word)) sum += 4;
      else return -1;
    }
    return sum - name.length / 100;
  }

  function search() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    if (words.length) {
      for (const entry of window.ENTRIES) {
        const value = score(entry, words);
        if (value >= 0) shown.push([value, entry]);
      }
      shown.sort((a, b) => b[0] - a[0]);
      shown = shown.slice(0, 40).map((pair) => pair[1]);
    }
    chosen = 0;
    list.replaceChildren(...shown.map(item));
    if (words.length && !shown.length) {
      const none = document.createElement("p");
      none.textContent = page.dataset.lang === "zh" ? "没有找到" : "Nothing is called so";
      list.append(none);
    }
    list.hidden = !words.length;
    mark();
  }

  function item(entry) {
    const link = document.createElement("a"), name = document.createElement("code");
    const said = document.createElement("span");
    link.href = spoken(root + entry[2]);
    link.className = "kind-" + entry[0];
    name.textContent = entry[1];
    said.textContent = page.dataset.lang === "zh" ? entry[4] || entry[3] : entry[3];
    link.append(name, said);
    return link;
  }

  function mark() {
    [...list.children].forEach((one, place) => one.classList.toggle("on", place === chosen));
    if (list.children[chosen]) list.children[chosen].scrollIntoView({ block: "nearest" });
  }

  field.addEventListener("input", search);
  field.addEventListener("focus", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      chosen = Math.max(0, Math.min(shown.length - 1, chosen + step));
      mark();
    } else if (event.key === "Enter" && list.children[chosen] && list.children[chosen].href) {
      location.href = list.children[chosen].href;
      list.hidden = true;
    } else if (event.key === "Escape") {
      field.value = "";
      field.blur();
      list.hidden = true;
    } else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === field || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { field.focus(); field.select(); }
    else if (event.key === "l" || event.key === "L") other();
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".find")) list.hidden = true;
    const link = event.target.closest("a[href]");
    if (link && page.dataset.lang !== first) {
      const address = link.getAttribute("href") || "";
      if (address.includes(".html") && !address.includes("?")) link.setAttribute("href", spoken(address));
    }
  });
  document.getElementById("lang").addEventListener("click", other);

  for (const svg of document.querySelectorAll(".picture svg")) {
    const edges = [...svg.querySelectorAll(".edge")], boxes = [...svg.querySelectorAll(".box")];
    for (const box of boxes) {
      box.addEventListener("mouseenter", () => {
        const near = new Set([box.dataset.id]);
        for (const edge of edges) {
          const on = edge.dataset.start === box.dataset.id || edge.dataset.end === box.dataset.id;
          edge.classList.toggle("on", on);
          if (on) near.add(edge.dataset.start).add(edge.dataset.end);
        }
        for (const one of boxes) one.classList.toggle("near", near.has(one.dataset.id));
        svg.classList.add("some");
      });
      box.addEventListener("mouseleave", () => svg.classList.remove("some"));
    }
  }

  const here = document.querySelector("aside [aria-current]");
  if (here) here.scrollIntoView({ block: "center" });
  const lang = asked.get("lang") || kept();
  if (lang === "en" || lang === "zh") speak(lang, false);
  if (asked.has("find")) { field.value = asked.get("find"); field.focus(); }
})();
