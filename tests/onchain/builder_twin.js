// The Transaction Builder's serialisation, written anew in its own language: documents on stdin as a JSON array of texts, serialised on stdout.
const serialised = (value) => {
  if (Array.isArray(value)) return "[" + value.map(serialised).join() + "]";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return "{" + JSON.stringify(keys) + keys.map((key) => serialised(value[key]) + ",").join("") + "}";
};
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(texts.map((text) => serialised(JSON.parse(text)))));
