// The switch between the system's colours, light and dark. Where nothing may be kept, it lasts for the visit.

function startTheme() {
  const root = document.documentElement;
  const choose = (value) => {
    if (value === "auto") delete root.dataset.theme;
    else root.dataset.theme = value;
  };
  let kept = null;
  try { kept = localStorage.getItem("mitools-theme"); } catch { /* storage is forbidden: nothing is kept */ }
  for (const button of document.querySelectorAll('input[name="theme"]')) {
    if (button.value === kept) { button.checked = true; choose(kept); }
    button.addEventListener("change", () => {
      choose(button.value);
      try { localStorage.setItem("mitools-theme", button.value); } catch { /* as above */ }
    });
  }
}
