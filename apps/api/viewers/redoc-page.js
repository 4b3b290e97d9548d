// Shows the API's own document with ReDoc, which has one theme unless it is given another.
const DARK = {
  colors: {
    primary: { main: "#5b8ee6", light: "#8ab4f8" },
    text: { primary: "#e4e6e6", secondary: "#b4bac2" },
    border: { dark: "#5b616b", light: "#454950" },
    gray: { 50: "#24282c", 100: "#2c3136" },
    error: { main: "#f28b82" },
    success: { main: "#81c995" },
    responses: {
      success: { color: "#81c995", backgroundColor: "#1f3326", tabTextColor: "#81c995" },
      redirect: { color: "#fdd663", backgroundColor: "#3a3219", tabTextColor: "#fdd663" },
      error: { color: "#f28b82", backgroundColor: "#3a2322", tabTextColor: "#f28b82" },
      info: { color: "#8ab4f8", backgroundColor: "#20293a", tabTextColor: "#8ab4f8" },
    },
  },
  schema: {
    nestedBackground: "#24282c",
    linesColor: "#6d7f9c",
    typeNameColor: "#b4bac2",
    typeTitleColor: "#b4bac2",
  },
  typography: {
    code: { color: "#f6aea9", backgroundColor: "#2c3136" },
    links: { color: "#8ab4f8", visited: "#c58af9", hover: "#aecbfa" },
  },
  sidebar: { backgroundColor: "#24282c", textColor: "#e4e6e6", activeTextColor: "#8ab4f8" },
  rightPanel: { backgroundColor: "#16191b", textColor: "#e4e6e6" },
};

const dark = matchMedia("(prefers-color-scheme: dark)");
document.documentElement.classList.toggle("dark-mode", dark.matches);
// The theme is part of its state, so a change needs a new start.
dark.addEventListener("change", () => location.reload());

globalThis.Redoc.init(
  "openapi.json",
  { nativeScrollbars: true, sortRequiredPropsFirst: true, theme: dark.matches ? DARK : {} },
  document.getElementById("viewer"),
);
