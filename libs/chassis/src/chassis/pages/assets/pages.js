// Without this file everything works all the same.
"use strict";

// A form is sent once: its buttons say so until the answer is here.
(() => {
  const WAIT = 15000; // an answer that does not come must not lock the page
  const free = (form) => {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
    setTimeout(() => free(form), WAIT);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(free));
})();

// Times come in UTC, and say so. Here they are put into the visitor's own zone, which they say too; UTC is in the tip.
(() => {
  const look = (options) => new Intl.DateTimeFormat([...navigator.languages], options);
  const shown = { moment: look({ dateStyle: "medium", timeStyle: "long" }), day: look({ dateStyle: "long" }) };
  const localise = () => document.querySelectorAll("time[data-shown]").forEach((time) => {
    if (!time.title) time.title = time.textContent;
    time.textContent = shown[time.dataset.shown].format(new Date(time.dateTime));
  });
  document.addEventListener("htmx:afterSwap", localise);
  localise();
})();
