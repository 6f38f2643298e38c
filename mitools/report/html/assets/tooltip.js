// One box that says more about what is pointed at or has the focus: anything with data-help.

function startTooltip() {
  const box = document.getElementById("tooltip");
  let owner = null;

  const hide = () => { box.hidden = true; owner = null; };
  const show = (element) => {
    if (element === owner) return;
    owner = element;
    box.textContent = element.dataset.help;
    box.hidden = false;
    const at = element.getBoundingClientRect();
    const room = document.documentElement.clientWidth - box.offsetWidth - 8;
    const left = Math.max(8, Math.min(at.left + Math.min(at.width, 400) / 2 - box.offsetWidth / 2, room));
    const above = at.top - box.offsetHeight - 6;
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${(above > 4 ? above : at.bottom + 6) + scrollY}px`;
  };
  const helped = (target) => (target instanceof Element ? target.closest("[data-help]") : null);

  document.addEventListener("pointerover", (event) => {
    const element = helped(event.target);
    if (element) show(element); else hide();
  });
  document.addEventListener("focusin", (event) => {
    const element = helped(event.target);
    if (element) show(element); else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
}
