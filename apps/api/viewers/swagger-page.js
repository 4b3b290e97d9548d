// Shows the API's own document with Swagger UI. Where its requests go and who sends them stays with this page: a key that is
// entered under "Authorize" is kept in memory and gone when the page is.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
followTheme();
dark.addEventListener("change", followTheme);

globalThis.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  tryItOutEnabled: true,
  // It would send the document's address to a server of the viewer's makers.
  validatorUrl: null,
});
